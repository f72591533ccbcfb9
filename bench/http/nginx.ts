import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const PROGRAM = process.env['NGINX'] ?? 'nginx'
/** Milliseconds that it may take to listen. */
const PATIENCE = 10_000

/** What `nginx -v` says. */
export function nginxVersion(): string {
  // It writes to stderr.
  const printed = execFileSync('sh', ['-c', `${PROGRAM} -v 2>&1`]).toString()
  return /nginx\/(\S+)/.exec(printed)?.[1] ?? 'unknown'
}

/** The settings that the suite itself tests nginx with (its `docker/nginx`), in a folder of their own. */
export const NGINX_SETTINGS = 'proxy_cache with proxy_cache_revalidate on, HTTP/1.1 to the origin, one worker'

function configOf(folder: string, port: number, origin: string): string {
  return `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  proxy_cache_path ${folder}/cache levels=1:2 keys_zone=suite:8m max_size=1000m inactive=600m;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass ${origin};
      proxy_cache suite;
      proxy_cache_revalidate on;
      proxy_http_version 1.1;
    }
  }
}
`
}

/** nginx as a caching proxy before an origin. */
export class Nginx {
  readonly url: string
  readonly #child: ChildProcess
  readonly #folder: string

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url
    this.#child = child
    this.#folder = folder
  }

  static async start(origin: string, port: number): Promise<Nginx> {
    const folder = mkdtempSync(join(tmpdir(), 'bench-nginx-'))
    mkdirSync(join(folder, 'cache'))
    const config = join(folder, 'nginx.conf')
    writeFileSync(config, configOf(folder, port, origin))
    const child = spawn(PROGRAM, ['-p', folder, '-c', config, '-e', join(folder, 'error.log')], { stdio: 'inherit' })
    const nginx = new Nginx(`http://127.0.0.1:${port}`, child, folder)
    for (let waited = 0; !(await isListening(port)); waited += 50) {
      if (child.exitCode !== null || waited > PATIENCE) {
        await nginx.stop()
        throw new Error('nginx did not start')
      }
      await pause(50)
    }
    return nginx
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const exited = once(this.#child, 'exit')
      this.#child.kill('SIGTERM')
      await exited
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
