import { withDatabase } from './testing/with-database.ts'
import { transactionContract } from './transaction.contract.ts'

transactionContract(withDatabase())
