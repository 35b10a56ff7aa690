/* One layer that is not standard, in C, checked against a header that `lstm golden` wrote:
 * projection, diagonal peepholes, coupled gates, clips, two sorts of sigmoid, and the head with
 * its projection. Options are read from the header, where it defines them; which arrays there are
 * is told with -D, as a port knows it: PEEPHOLES, PROJECTION, HEAD. ORDER, the places of the
 * blocks i, f, g, o. Exit code 1: something differs. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "golden.h"

typedef LSTM_GOLDEN_TYPE real;
enum { I, F, G, O, T = LSTM_GOLDEN_STEPS, D = LSTM_GOLDEN_L0_INPUT_SIZE,
       H = LSTM_GOLDEN_L0_HIDDEN_SIZE, P = LSTM_GOLDEN_L0_OUTPUT_SIZE };
#define L(name) lstm_golden_l0_forward_##name
static const int block[] = {ORDER}; /* where the blocks of i, f, g, o stand */
static long checked, wrong;

#ifndef LSTM_GOLDEN_L0_FORWARD_GATE_ACTIVATION
#define LSTM_GOLDEN_L0_FORWARD_GATE_ACTIVATION "sigmoid"
#endif
#ifndef LSTM_GOLDEN_L0_FORWARD_COUPLED
#define LSTM_GOLDEN_L0_FORWARD_COUPLED ""
#endif

static real gate(real z) {
    if (!strcmp(LSTM_GOLDEN_L0_FORWARD_GATE_ACTIVATION, "hard-sigmoid"))
        return (real)fmin(fmax(0.2 * z + 0.5, 0), 1);
    return 1 / (1 + (real)exp(-z));
}

static real clip(real x, double limit) { return (real)fmin(fmax(x, -limit), limit); }

/* Row r of (rows, columns) times x, onto a sum. */
static real times(real sum, const real *w, int r, int columns, const real *x) {
    for (int j = 0; j < columns; j++) sum += w[r * columns + j] * x[j];
    return sum;
}

#define CHECK(Q, name, width, k, found) \
    check(#name, t, found, L(name)[t * (width) + (k)], LSTM_GOLDEN_ATOL_##Q, LSTM_GOLDEN_RTOL_##Q)
static void check(const char *what, int t, real found, real expected, double atol, double rtol) {
    checked++;
    if (!(fabs((double)found - (double)expected) <= atol + rtol * fabs((double)expected)) && !wrong++)
        printf("%s, step %d: %.9g, not %.9g\n", what, t, (double)found, (double)expected);
}

#ifdef HEAD
static void head(int t, const real *h) {
    enum { V = LSTM_GOLDEN_OUTCOMES, M = LSTM_GOLDEN_HEAD_PROJECTION_SIZE };
    real m[M], logits[V], sum = 0;
    for (int k = 0; k < M; k++) m[k] = times(0, lstm_golden_head_projection, k, P, h);
    for (int k = 0; k < V; k++)
        logits[k] = times(lstm_golden_head_bias[k], lstm_golden_head_weight, k, M, m);
    for (int k = 0; k < V; k++) sum += (real)exp(logits[k]);
    for (int k = 0; k < V; k++) {
        check("logits", t, logits[k], lstm_golden_head_logits[t * V + k],
              LSTM_GOLDEN_ATOL_LOGITS, LSTM_GOLDEN_RTOL_LOGITS);
        check("probabilities", t, (real)exp(logits[k]) / sum,
              lstm_golden_head_probabilities[t * V + k],
              LSTM_GOLDEN_ATOL_PROBABILITIES, LSTM_GOLDEN_RTOL_PROBABILITIES);
    }
}
#endif

int main(void) {
    real h[P], c[H], m[H], z[4 * H];
    for (int k = 0; k < P; k++) h[k] = L(initial_hidden)[k];
    for (int k = 0; k < H; k++) c[k] = L(initial_cell)[k];
    for (int t = 0; t < T; t++) {
        for (int r = 0; r < 4 * H; r++)
            z[r] = times(times(L(bias)[r], L(weight_ih), r, D, lstm_golden_inputs + t * D),
                         L(weight_hh), r, P, h);
        for (int k = 0; k < H; k++) {
            real zi = z[block[I] * H + k], zf = z[block[F] * H + k];
            real zg = z[block[G] * H + k], zo = z[block[O] * H + k], i, f, g, o;
#ifdef PEEPHOLES
            zi += L(peephole_input)[k] * c[k], zf += L(peephole_forget)[k] * c[k];
#endif
            i = gate(zi), f = gate(zf), g = (real)tanh(zg);
            if (!strcmp(LSTM_GOLDEN_L0_FORWARD_COUPLED, "input")) i = 1 - f;
            if (!strcmp(LSTM_GOLDEN_L0_FORWARD_COUPLED, "forget")) f = 1 - i;
            CHECK(FORGET_CELL, forget_cell, H, k, f * c[k]);
            c[k] = f * c[k] + i * g;
#ifdef LSTM_GOLDEN_L0_FORWARD_CELL_CLIP
            c[k] = clip(c[k], LSTM_GOLDEN_L0_FORWARD_CELL_CLIP);
#endif
#ifdef PEEPHOLES
            zo += L(peephole_output)[k] * c[k];
#endif
            o = gate(zo), m[k] = o * (real)tanh(c[k]);
            CHECK(PRE_INPUT, pre_input, H, k, zi);
            CHECK(PRE_FORGET, pre_forget, H, k, zf);
            CHECK(PRE_CANDIDATE, pre_candidate, H, k, zg);
            CHECK(PRE_OUTPUT, pre_output, H, k, zo);
            CHECK(INPUT, input, H, k, i);
            CHECK(FORGET, forget, H, k, f);
            CHECK(CANDIDATE, candidate, H, k, g);
            CHECK(OUTPUT, output, H, k, o);
            CHECK(CELL, cell, H, k, c[k]);
        }
        for (int k = 0; k < P; k++) {
#ifdef PROJECTION
            h[k] = times(0, L(projection), k, H, m);
#else
            h[k] = m[k];
#endif
#ifdef LSTM_GOLDEN_L0_FORWARD_PROJECTION_CLIP
            h[k] = clip(h[k], LSTM_GOLDEN_L0_FORWARD_PROJECTION_CLIP);
#endif
            CHECK(HIDDEN, hidden, P, k, h[k]);
        }
#ifdef HEAD
        head(t, h);
#endif
    }
    (void)clip;
    printf("%ld numbers checked, %ld differ\n", checked, wrong);
    return wrong != 0;
}
