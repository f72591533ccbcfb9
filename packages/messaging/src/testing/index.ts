export { messagingBackendContract } from './messaging_contract.ts'
export type { MessagingGround } from './messaging_ground.ts'
