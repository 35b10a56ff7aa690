// Run TensorFlow.js' own LSTM on quantised weights, and write what it read and computed.
//
// Run with node, where @tensorflow/tfjs is installed (npm install @tensorflow/tfjs):
//     node tests/golden/make_tfjs_quantized.mjs
//
// tfjs_quantized/model.json and weights.bin are the model: its kernel is stored as uint8, the
// recurrent kernel as uint16, the bias as float16. tfjs_quantized/run.json holds what
// TensorFlow.js made of it, as bit patterns of float32: the three weights after it decoded them,
// the input x (1, T, D), and the hidden states hs (1, T, H).

import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const tf = createRequire(join(process.cwd(), "package.json"))("@tensorflow/tfjs");
const FOLDER = join(dirname(fileURLToPath(import.meta.url)), "tfjs_quantized");
const D = 2, H = 3, T = 5;

// Numbers that need more digits than float32 has: scale and minimum are float64 in the file.
const QUANTIZED = [
  ["kernel", [D, 4 * H], { dtype: "uint8", scale: 0.00713123456789, min: -0.9123456789012 }],
  ["recurrent_kernel", [H, 4 * H], { dtype: "uint16", scale: 2.3456789e-5, min: -0.7654321098765 }],
  ["bias", [4 * H], { dtype: "float16" }],
];
// Halves: 1, -2, the smallest subnormal, -0, and others that no pattern explains.
const HALVES = [0x3c00, 0xc000, 0x0001, 0x8000, 0x3555, 0xb8cd, 0x2e66, 0x03ff, 0xbbbb, 0x3801, 0xa123, 0x3a7f];

function stored(shape, { dtype }) {
  const size = shape.reduce((a, b) => a * b);
  if (dtype === "float16") return new Uint16Array(HALVES);
  const limit = dtype === "uint8" ? 256 : 65536;
  const numbers = Array.from({ length: size }, (_, n) => (n * n * 7919 + n * 104729 + 31) % limit);
  return dtype === "uint8" ? new Uint8Array(numbers) : new Uint16Array(numbers);
}

const bits = (tensor) => Array.from(new Uint32Array(Float32Array.from(tensor.dataSync()).buffer));

const layer = { units: H, inputShape: [T, D], returnSequences: true, recurrentActivation: "sigmoid" };
const plain = tf.sequential({ layers: [tf.layers.lstm({ ...layer, name: "lstm" })] });
const weightSpecs = QUANTIZED.map(([name, shape, quantization]) => (
  { name: `lstm/${name}`, shape, dtype: "float32", quantization }
));
const data = Buffer.concat(QUANTIZED.map(([, shape, how]) => {
  const array = stored(shape, how);
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}));
const modelTopology = plain.toJSON(null, false);
const weightData = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
const model = await tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }));

const x = tf.tensor(Array.from({ length: T * D }, (_, n) => Math.fround(Math.sin(n * n + 1))), [1, T, D]);
const [kernel, recurrent_kernel, bias] = model.getWeights().map(bits);
const run = { tfjs: tf.version.tfjs, kernel, recurrent_kernel, bias, x: bits(x), hs: bits(model.predict(x)) };

mkdirSync(FOLDER, { recursive: true });
const weightsManifest = [{ paths: ["weights.bin"], weights: weightSpecs }];
writeFileSync(join(FOLDER, "model.json"), `${JSON.stringify({ format: "layers-model", modelTopology, weightsManifest })}\n`);
writeFileSync(join(FOLDER, "weights.bin"), data);
writeFileSync(join(FOLDER, "run.json"), `${JSON.stringify(run)}\n`);
