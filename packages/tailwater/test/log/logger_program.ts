// Writes one line whose fields hold secrets, and ends without flushing.
import { createLogger } from '../../src/log/logger.ts'

const logger = createLogger({ level: 'info', format: 'json', name: 'test' })
const err = Object.assign(new Error('WRONGPASS'), { command: { name: 'auth', args: ['hunter2'] } })
logger.error({ err, password: 'hunter2', request: { authorization: 'hunter2', cookie: 'hunter2' } }, 'it failed')
logger.debug({}, 'unseen')
logger.setLevel('debug')
logger.debug({}, 'seen')
