import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A model that takes its time over each product. */
export interface SlowModel {
  url: string
  /** Requests so far, and the most of them at one moment. */
  asked: number
  most: number
  close(): void
}

/** Starts one on a free port. @param thinking milliseconds */
export async function startSlowModel(thinking: number): Promise<SlowModel> {
  let underWay = 0
  const server = createServer((request, response) => {
    model.asked++
    model.most = Math.max(model.most, ++underWay)
    request.resume()
    setTimeout(() => {
      underWay--
      response.setHeader('content-type', 'application/json')
      response.end('{"score":80,"findings":[]}')
    }, thinking)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const model: SlowModel = {
    url: `http://127.0.0.1:${port}/`,
    asked: 0,
    most: 0,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
  return model
}
