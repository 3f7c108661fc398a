// Uploads a file with tus-js-client as it comes from npm. node tus_js.mjs FOLDER_OF_NODE_MODULES ENDPOINT TOKEN FILE METADATA_JSON
import { createRequire } from 'node:module';
import { createReadStream, statSync } from 'node:fs';

const [modules, endpoint, token, path, metadata] = process.argv.slice(2);
const tus = createRequire(`${modules}/`)('tus-js-client');

new tus.Upload(createReadStream(path), {
  endpoint,
  uploadSize: statSync(path).size,
  chunkSize: 128 * 1024,
  retryDelays: Array(40).fill(100),
  addRequestId: true,
  headers: { Authorization: `Bearer ${token}` },
  metadata: JSON.parse(metadata),
  onError: (error) => { console.error(String(error)); process.exit(1); },
  onSuccess: () => process.exit(0),
}).start();
