import { ServerProcess } from '../harness/server_process.ts'

/** How ours runs while it is measured; said in the results. */
export const OUR_SETTINGS = {
  NODE_ENV: 'production',
  // But for the rows of the cache, every answer is read from the database.
  CACHE: 'off',
  LOG_LEVEL: 'warn',
  // A limit for each caller would answer 429 to a single client that asks as fast as it can.
  API_RATE: '0',
}

/** Starts the merchant as `npm start` runs it, on a database that is there already. */
export function startOurs(
  { url, dataDir }: { url: string; dataDir: string },
  {
    args = [],
    patience = 60_000,
    settings = {},
  }: { args?: readonly string[]; patience?: number; settings?: Record<string, string> } = {},
): Promise<ServerProcess> {
  return ServerProcess.start({
    args: [
      ...process.execArgv,
      ...(process.env['BENCH_NODE_FLAGS']?.split(' ') ?? []),
      'apps/merchant/src/main.ts',
      ...args,
    ],
    env: {
      ...OUR_SETTINGS,
      ...settings,
      DATABASE_URL: url,
      DATA_DIR: dataDir,
      PORT: '0',
      TAILWATER_SECRET: 'not a secret: the benchmark reads public pages',
    },
    port: /API +http:\/\/localhost:(\d+)/,
    patience,
  })
}
