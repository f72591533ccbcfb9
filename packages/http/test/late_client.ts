// In a thread of its own: connects, sends a request, tells so through shared memory, and posts what it received.
import { connect } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'

const { port, sent } = workerData as { port: number; sent: Int32Array }
const socket = connect(port, '127.0.0.1', () => {
  socket.write('GET /quick HTTP/1.1\r\nHost: x\r\n\r\n', () => {
    Atomics.store(sent, 0, 1)
    Atomics.notify(sent, 0)
  })
})
let reply = ''
socket.on('data', (data) => {
  reply += data
})
socket.on('error', (error) => {
  reply += error.message
})
socket.on('close', () => parentPort!.postMessage(reply))
