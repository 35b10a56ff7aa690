// Runs TensorFlow.js' own LSTM layer for make_tfjs.py: JSON on standard input, JSON on standard
// output. With "save", the model is written there as model.json and weights.bin, as the browser
// would download it.
const fs = require("fs");
const path = require("path");
const tf = require("@tensorflow/tfjs");

async function main() {
  const asked = JSON.parse(fs.readFileSync(0, "utf8"));
  const config = { returnSequences: true, returnState: true, ...asked.config };
  const inputs = [tf.input({ shape: [null, asked.x[0][0].length] })];
  const states = [0, 1].map(() => tf.input({ shape: [config.units] }));
  const layer = tf.layers.lstm(config);
  const model = tf.model({
    inputs: [...inputs, ...states],
    outputs: layer.apply(inputs[0], { initialState: states }),
  });
  layer.setWeights(asked.weights.map((array) => tf.tensor(array)));
  if (asked.save) {
    const alone = tf.model({ inputs: inputs[0], outputs: layer.apply(inputs[0])[0] });
    await alone.save(tf.io.withSaveHandler((artifacts) => write(asked.save, artifacts)));
  }
  // The layer wants sequences first; the record, time.
  const x = tf.tensor(asked.x).transpose([1, 0, 2]);
  const [hs, h, c] = model.predict([x, tf.tensor(asked.h0), tf.tensor(asked.c0)]);
  const found = { hs: hs.transpose([1, 0, 2]), h, c };
  const answer = { version: tf.version.tfjs };
  for (const [name, tensor] of Object.entries(found)) answer[name] = await tensor.array();
  process.stdout.write(JSON.stringify(answer));
}

function write(place, artifacts) {
  const file = `${place}.weights.bin`;
  fs.writeFileSync(file, Buffer.from(tf.io.CompositeArrayBuffer.join(artifacts.weightData)));
  const { modelTopology, format, generatedBy, convertedBy, weightSpecs } = artifacts;
  const manifest = [{ paths: [path.basename(file)], weights: weightSpecs }];
  const model = { format, generatedBy, convertedBy, modelTopology, weightsManifest: manifest };
  fs.writeFileSync(`${place}.model.json`, JSON.stringify(model));
  return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
}

main();
