import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { newId } from '@tailwater/core'
import { type HttpProblem, problem, problemReply } from '../problem.ts'

/**
 * Answers what Node's parser refuses, before there is a request, with a problem, and closes the connection.
 *
 * @example
 * server.on('clientError', answerMalformed)
 */
export function answerMalformed(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const { status, headers, body } = problemReply(problemOf(error.code), {
    path: '',
    context: { requestId: newId() },
  })
  const lines = Object.entries({ ...headers, 'content-length': Buffer.byteLength(String(body)), connection: 'close' })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n${body}`)
}

function problemOf(code: string | undefined): HttpProblem {
  if (code === 'HPE_HEADER_OVERFLOW') return problem(431, 'E_HEADERS_TOO_LARGE', 'The header lines are too long.')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return problem(408, 'E_BAD_REQUEST', 'The request took too long to arrive.')
  return problem(400, 'E_BAD_REQUEST', 'The request is not valid HTTP.')
}
