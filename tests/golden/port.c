/* A plain LSTM in C, checked against a header that `lstm golden` wrote: the standard cell, any
 * number of layers, one or two directions. What its weights look like is told with -D, as a port
 * knows it: ORDER, the places of the blocks i, f, g, o; INPUTS_FIRST; TWO_BIASES. A port that is
 * wrong is told with WITHOUT_BIAS. Exit code 1: something differs. */
#include <math.h>
#include <stdio.h>
#include "golden.h"

typedef LSTM_GOLDEN_TYPE real;
enum { I, F, G, O, T = LSTM_GOLDEN_STEPS, WIDEST = 128, QUANTITIES = 15 };
static const int block[] = {ORDER}; /* where the blocks of i, f, g, o stand */
static real below[T * WIDEST], above[T * WIDEST];
static long checked, wrong;

static real sigmoid(real z) { return 1 / (1 + (real)exp(-z)); }

static real at(const real *w, int row, int column, int rows, int columns) {
#ifdef INPUTS_FIRST
    (void)columns;
    return w[column * rows + row];
#else
    (void)rows;
    return w[row * columns + column];
#endif
}

static void check(int quantity, int t, real found, real expected) {
#define LIMIT(q) {LSTM_GOLDEN_ATOL_##q, LSTM_GOLDEN_RTOL_##q}
    static const double limits[QUANTITIES][2] = {
        LIMIT(LAYER_INPUT), LIMIT(PRE_FORGET), LIMIT(PRE_INPUT), LIMIT(PRE_CANDIDATE),
        LIMIT(PRE_OUTPUT), LIMIT(FORGET), LIMIT(INPUT), LIMIT(CANDIDATE), LIMIT(OUTPUT),
        LIMIT(INPUT_CANDIDATE), LIMIT(FORGET_CELL), LIMIT(CELL), LIMIT(TANH_CELL), LIMIT(HIDDEN),
        LIMIT(LAYER_OUTPUT)};
    double allowed = limits[quantity][0] + limits[quantity][1] * fabs((double)expected);
    checked++;
    if (!(fabs((double)found - (double)expected) <= allowed) && !wrong++)
        printf("quantity %d, step %d: %.9g, not %.9g\n", quantity, t, (double)found, (double)expected);
}

/* One cell over all steps, from below[] to its columns of above[]. */
static void run(int D, int H, int reverse, const real *wi, const real *wh, const real *b,
                const real *b2, const real *h0, const real *c0, const real *const *expected) {
    real h[WIDEST], c[WIDEST], z[4 * WIDEST];
    for (int k = 0; k < H; k++) h[k] = h0[k], c[k] = c0[k];
    for (int n = 0; n < T; n++) {
        int t = reverse ? T - 1 - n : n;
        const real *x = below + t * D;
        for (int r = 0; r < 4 * H; r++) {
#ifdef WITHOUT_BIAS
            z[r] = 0, (void)b, (void)b2;
#else
            z[r] = b[r] + (b2 ? b2[r] : 0);
#endif
            for (int j = 0; j < D; j++) z[r] += at(wi, r, j, 4 * H, D) * x[j];
            for (int j = 0; j < H; j++) z[r] += at(wh, r, j, 4 * H, H) * h[j];
        }
        for (int j = 0; j < D; j++) check(0, t, x[j], expected[0][t * D + j]);
        for (int k = 0; k < H; k++) {
            real zi = z[block[I] * H + k], zf = z[block[F] * H + k], zg = z[block[G] * H + k];
            real zo = z[block[O] * H + k], i = sigmoid(zi), f = sigmoid(zf), o = sigmoid(zo);
            real g = (real)tanh(zg), ig = i * g, fc = f * c[k], new = fc + ig;
            c[k] = new, h[k] = o * (real)tanh(new);
            real all[] = {0, zf, zi, zg, zo, f, i, g, o, ig, fc, new, (real)tanh(new), h[k], h[k]};
            for (int q = 1; q < QUANTITIES; q++) check(q, t, all[q], expected[q][t * H + k]);
            above[t * LSTM_GOLDEN_DIRECTIONS * H + reverse * H + k] = h[k];
        }
    }
}

#ifdef TWO_BIASES
#define BIASES(p) p##_bias_ih, p##_bias_hh
#else
#define BIASES(p) p##_bias, 0
#endif
#define CELL(p, L, reverse) do { \
    const real *const expected[] = { \
        p##_layer_input, p##_pre_forget, p##_pre_input, p##_pre_candidate, p##_pre_output, \
        p##_forget, p##_input, p##_candidate, p##_output, p##_input_candidate, p##_forget_cell, \
        p##_cell, p##_tanh_cell, p##_hidden, p##_layer_output}; \
    run(L##_INPUT_SIZE, L##_HIDDEN_SIZE, reverse, p##_weight_ih, p##_weight_hh, BIASES(p), \
        p##_initial_hidden, p##_initial_cell, expected); } while (0)
#if LSTM_GOLDEN_DIRECTIONS == 2
#define LAYER(l, L) CELL(l##_forward, L, 0); CELL(l##_reverse, L, 1)
#else
#define LAYER(l, L) CELL(l##_forward, L, 0)
#endif

int main(void) {
    for (int n = 0; n < T * LSTM_GOLDEN_INPUT_SIZE; n++) below[n] = lstm_golden_inputs[n];
    LAYER(lstm_golden_l0, LSTM_GOLDEN_L0);
#if LSTM_GOLDEN_LAYERS > 1
    for (int n = 0; n < T * WIDEST; n++) below[n] = above[n];
    LAYER(lstm_golden_l1, LSTM_GOLDEN_L1);
#endif
#if LSTM_GOLDEN_LAYERS > 2
    for (int n = 0; n < T * WIDEST; n++) below[n] = above[n];
    LAYER(lstm_golden_l2, LSTM_GOLDEN_L2);
#endif
    printf("%ld numbers checked, %ld differ\n", checked, wrong);
    return wrong != 0;
}
