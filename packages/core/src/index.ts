export { type EventChannel, eventChannel, listen } from './channel.ts'
export { type Cancel, type Clock, sleep, systemClock } from './clock.ts'
export { type Duration, formatDuration, parseDuration, show } from './duration.ts'
export { type ErrorDetails, hasCode, TailwaterError, toError } from './errors.ts'
export { type AdminChangeEvent, adminChange } from './events/admin.ts'
export {
  type CacheAccessEvent,
  type CacheFarEvent,
  type CacheInvalidationEvent,
  type CacheLoadEvent,
  cacheAccess,
  cacheFar,
  cacheInvalidation,
  cacheLoad,
} from './events/cache.ts'
export {
  type DatabasePoolEvent,
  type DatabaseQueryEvent,
  databaseMigration,
  databasePool,
  databaseQuery,
  type EmbeddedServerEvent,
  embeddedServer,
  type MigrationEvent,
} from './events/database.ts'
export { type HttpErrorEvent, type HttpRequestEvent, httpError, httpRequest } from './events/http.ts'
export {
  type JobAttemptEvent,
  type JobEnqueuedEvent,
  type JobScheduleEvent,
  type JobTurnEvent,
  jobAttempt,
  jobEnqueued,
  jobSchedule,
  jobTurn,
} from './events/jobs.ts'
export { type MailSentEvent, mailSent } from './events/mail.ts'
export {
  type MessageBreakerEvent,
  type MessageConsumerEvent,
  type MessageDeadEvent,
  type MessageHandledEvent,
  type MessagePublishedEvent,
  type MessageRequestEvent,
  messageBreaker,
  messageConsumer,
  messageDead,
  messageHandled,
  messagePublished,
  messageRequest,
} from './events/messaging.ts'
export { type RedisConnectionEvent, redisConnection } from './events/redis.ts'
export { type BackgroundErrorEvent, backgroundError, type NoticeEvent, notice } from './events/runtime.ts'
export { createIdSource, type IdSource, isUuid, newId } from './id.ts'
export { createKeyring, type Keyring } from './keyring.ts'
export { createLeader, type Leader, type LeaderOptions, type Leadership } from './leader.ts'
export { createService, type Service, type ServiceBody, startAll, stopAll } from './lifecycle.ts'
export { createMemoryBus, type MemoryBus } from './memory_bus.ts'
export { createMemoryLeases } from './memory_leases.ts'
export { nearestName } from './nearest_name.ts'
export {
  boolean,
  duration,
  type Field,
  type Fields,
  group,
  integer,
  number,
  oneOf,
  optional,
  optionsError,
  type Resolved,
  resolveOptions,
  size,
  text,
  value,
} from './options.ts'
export type { Bus, BusMessage, BusSubscriber } from './ports/bus.ts'
export type { FileStore, StoredFile } from './ports/file_store.ts'
export type { EnqueueOptions, JobContext, JobKind, JobRunner } from './ports/job_runner.ts'
export type { Lease, LeaseStore } from './ports/lease.ts'
export type { Logger } from './ports/logger.ts'
export type { Mail, Mailer } from './ports/mailer.ts'
export { processIdentity } from './process_identity.ts'
export { randomPage } from './random_page.ts'
export { currentContext, type RequestContext, runInContext, runOutsideContext } from './request_context.ts'
export { isSecretName, plainName } from './secret_name.ts'
export { formatSize, parseSize, type Size } from './size.ts'
