import { messagingBackendContract } from '../../src/testing/index.ts'
import { rabbitMqGround } from './ground.ts'

messagingBackendContract('RabbitMQ with classic queues', {
  ground: () => rabbitMqGround({ queueType: 'classic' }),
  except: {
    'a delayed message that nobody is bound to is unroutable':
      'RabbitMQ routes a delayed message when its time has come: who is bound then gets it',
    'a message that kills its consumers becomes a dead letter, and the others go on':
      'a classic queue does not count deliveries',
  },
})
