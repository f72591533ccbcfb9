export { createRedisInbox } from '../../inbox/redis_inbox.ts'
export { createRedisMessaging, type RedisMessagingOptions } from './redis_messaging.ts'
export { createRedisRouting } from './redis_routing.ts'
