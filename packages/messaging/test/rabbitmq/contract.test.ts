import { messagingBackendContract } from '../../src/testing/index.ts'
import { rabbitMqGround } from './ground.ts'

const unroutableLater = 'RabbitMQ routes a delayed message when its time has come: who is bound then gets it'

messagingBackendContract('RabbitMQ with quorum queues', {
  ground: () => rabbitMqGround(),
  except: { 'a delayed message that nobody is bound to is unroutable': unroutableLater },
})
