import { withDatabase } from '../testing/with-database.ts'
import { journalOrderProperty } from './journal-order.contract.ts'

journalOrderProperty(withDatabase({ maxConnections: 16 }))
