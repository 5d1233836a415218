import { dispatchContract } from './dispatch.contract.ts'
import { withDatabase } from './testing/with-database.ts'

dispatchContract(withDatabase())
