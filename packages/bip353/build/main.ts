// npm run build -w @holdfast/bip353, or -w @holdfast/client: writes its dist/, which `npm publish` of that folder publishes.
import { buildPackage } from './build-package.ts'

const { folder, bundleBytes } = await buildPackage(process.argv[2] ?? 'bip353')
console.log(`${folder}: ${bundleBytes} bytes minified`)
