// npm run build -w @holdfast/bip353: writes dist/, which `npm publish packages/bip353/dist` publishes.
import { buildPackage } from './build-package.ts'

const { folder, bundleBytes } = await buildPackage()
console.log(`${folder}: ${bundleBytes} bytes minified`)
