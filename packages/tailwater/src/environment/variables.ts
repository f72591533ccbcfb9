import { resolve } from 'node:path'
import { networksIn, urlOf, variable, wordOf } from './variable.ts'

/** Every environment variable of the program, in the order of `.env.example`, which is generated from here. */
export const variables = {
  PORT: variable({
    about: 'Port of the HTTP server; 0 takes a free one.',
    example: '3000',
    fallback: '3000',
    expected: 'a port from 0 to 65535',
    read: (text) => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined),
  }),
  HOST: variable({
    about: 'Address to listen on. The default answers this machine alone; 0.0.0.0 answers every network.',
    example: '127.0.0.1',
    fallback: '127.0.0.1',
    expected: 'an address or a host name',
    read: (text) => (/^[0-9A-Za-z.:_-]+$/.test(text) ? text : undefined),
  }),
  DATABASE_URL: variable({
    about: 'PostgreSQL 15 or later. Without it an embedded PostgreSQL runs in the data folder.',
    example: 'postgres://user:password@db.example.com:5432/shop',
    expected: 'a URL such as postgres://user:password@host:5432/database',
    isSecret: true,
    read: urlOf(['postgres:', 'postgresql:']),
  }),
  REDIS_URL: variable({
    about: 'Redis or Valkey, for what is shared between machines.',
    example: 'redis://localhost:6379',
    expected: 'a URL such as redis://host:6379 or rediss://user:password@host:6380',
    isSecret: true,
    read: urlOf(['redis:', 'rediss:']),
  }),
  JOBS_STORE: variable({
    about:
      'Where jobs are kept: postgres stores them within the transactions that enqueue them; redis needs a REDIS_URL, and gets them through the outbox.',
    example: 'redis',
    fallback: 'postgres',
    expected: 'postgres or redis',
    read: wordOf(['postgres', 'redis']),
  }),
  CACHE: variable({
    about: 'off has every request read the database, which shows what the cache is worth.',
    example: 'off',
    fallback: 'on',
    expected: 'on or off',
    read: wordOf(['on', 'off']),
  }),
  CACHE_ENTRIES: variable({
    about: "Values that each process's cache keeps in memory, within 64 MB.",
    example: '10000',
    fallback: '10000',
    expected: 'a whole number from 1',
    read: (text) => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined),
  }),
  AMQP_URL: variable({
    about: 'RabbitMQ, for messages between machines.',
    example: 'amqp://guest:guest@localhost:5672',
    expected: 'a URL such as amqp://user:password@host:5672',
    isSecret: true,
    read: urlOf(['amqp:', 'amqps:']),
  }),
  DATA_DIR: variable({
    about:
      'Folder of everything kept on disk: the embedded PostgreSQL, the generated secret, files and the mail outbox.',
    example: './data',
    fallback: './data',
    expected: 'a folder',
    read: (text) => resolve(text),
  }),
  SMTP_URL: variable({
    about: 'Where mail goes. Without it each mail is written as a file into the outbox of the data folder.',
    example: 'smtps://user:password@mail.example.com:465',
    expected: 'a URL such as smtp://host:587 or smtps://user:password@host:465',
    isSecret: true,
    read: urlOf(['smtp:', 'smtps:']),
  }),
  SMS_URL: variable({
    about:
      'Where short messages are posted, signed by SMS_SECRET. Without it each one is written as a file into the outbox of the data folder.',
    example: 'https://sms.example.com/messages',
    expected: 'a URL such as https://host/path',
    isSecret: true,
    read: urlOf(['http:', 'https:']),
  }),
  SMS_SECRET: variable({
    about: 'Signs what is posted to SMS_URL; shared with the provider, at least 16 characters.',
    example: 'generate with: openssl rand -hex 32',
    expected: 'a secret of at least 16 characters',
    isSecret: true,
    read: (text) => (text.length >= 16 ? text : undefined),
  }),
  QUALITY_CHECK_URL: variable({
    about: 'A model that judges products over HTTP. Without it they are judged by rules, in this process.',
    example: 'https://models.example.com/assess',
    expected: 'a URL such as https://host/path',
    isSecret: true,
    read: urlOf(['http:', 'https:']),
  }),
  QUALITY_CHECK_TOKEN: variable({
    about: 'Bearer token for QUALITY_CHECK_URL.',
    example: 'what the model asks for',
    expected: 'a token without spaces',
    isSecret: true,
    read: (text) => (/^\S+$/.test(text) ? text : undefined),
  }),
  MARKETPLACES: variable({
    about:
      'Where else products are sold: simulated (four marketplaces in a process of their own), off, or a JSON file with [{ slug, wire, baseUrl, secret }]. The default is simulated in development with the embedded PostgreSQL and off elsewhere.',
    example: 'off',
    expected: 'simulated, off or a .json file',
    read: (text) => (text === 'simulated' || text === 'off' || text.endsWith('.json') ? text : undefined),
  }),
  TRUSTED_PROXIES: variable({
    about: 'Addresses or networks of proxies whose X-Forwarded headers are believed, separated by commas.',
    example: '10.0.0.0/8, ::1',
    fallback: 'none',
    expected: 'addresses or networks separated by commas, or none',
    read: (text) => (text === 'none' ? [] : networksIn(text)),
  }),
  API_RATE: variable({
    about: 'Requests a second of each caller of the API, half of them at once; 0 for no limit.',
    example: '100',
    fallback: '100',
    expected: 'a whole number from 0',
    read: (text) => (/^\d{1,6}$/.test(text) ? Number(text) : undefined),
  }),
  LOG_LEVEL: variable({
    about: 'debug, info, warn, error or silent.',
    example: 'info',
    fallback: 'info',
    expected: 'debug, info, warn, error or silent',
    read: wordOf(['debug', 'info', 'warn', 'error', 'silent']),
  }),
  LOG_FORMAT: variable({
    about: 'pretty for people, json for machines. The default is pretty on a terminal and json elsewhere.',
    example: 'json',
    expected: 'pretty or json',
    read: wordOf(['pretty', 'json']),
  }),
  TAILWATER_SECRET: variable({
    about:
      'Signs tokens, cursors and links; at least 32 characters. Two, separated by a comma, while rotating: the new one first. Without it one is generated and kept in the data folder, but not in production with a DATABASE_URL.',
    example: 'generate with: openssl rand -hex 32',
    expected: 'one secret of at least 32 characters, or two separated by a comma',
    isSecret: true,
    read(text) {
      const secrets = text.split(',').map((secret) => secret.trim())
      return secrets.length <= 2 && secrets.every((secret) => secret.length >= 32) ? secrets : undefined
    },
  }),
  TAILWATER_ADMIN_EMAIL: variable({
    about: 'E-mail address of the first administrator, used once, when there is no account yet.',
    example: 'admin@example.com',
    fallback: 'admin@localhost',
    expected: 'an e-mail address',
    read: (text) => (/^[^\s@]+@[^\s@]+$/.test(text) ? text : undefined),
  }),
  TAILWATER_ADMIN_PASSWORD: variable({
    about:
      'Password of the first administrator, at least 12 characters. Without it a one-time password is printed at the first start.',
    example: 'a long sentence is a good password',
    expected: 'a password of at least 12 characters',
    isSecret: true,
    read: (text) => (text.length >= 12 ? text : undefined),
  }),
  TAILWATER_EMBEDDED_IN_PRODUCTION: variable({
    about: 'The embedded PostgreSQL is refused when NODE_ENV is production, unless this says allow.',
    example: 'allow',
    expected: 'allow',
    read: wordOf(['allow']),
  }),
  NODE_ENV: variable({
    about: 'development, test or production.',
    example: 'production',
    fallback: 'development',
    expected: 'development, test or production',
    read: wordOf(['development', 'test', 'production']),
  }),
} as const

/** Values of all variables, by name; those without a fallback may be absent. */
export type Environment = {
  [K in keyof typeof variables]: (typeof variables)[K] extends { fallback: string; read(text: string): infer T }
    ? Exclude<T, undefined>
    : ReturnType<(typeof variables)[K]['read']>
}
