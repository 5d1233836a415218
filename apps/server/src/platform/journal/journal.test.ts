import { withDatabase } from '../testing/with-database.ts'
import { journalContract } from './journal.contract.ts'

journalContract(withDatabase())
