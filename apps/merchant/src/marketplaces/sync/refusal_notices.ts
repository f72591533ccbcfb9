import type { Kind } from '@tailwater/jobs'
import type { Transaction } from '@tailwater/postgres'
import type { Notice } from '../../notifications/notify.ts'
import { ownerTag } from '../../queues/ownership.ts'
import type { MarketplaceOrder } from '../connector/marketplace_connector.ts'
import { plainText } from './foreign_text.ts'

/** Tells merchants of orders that were refused in their name. */
export interface RefusalNotices {
  tell(
    tx: Transaction,
    refused: { connection: { slug: string }; order: MarketplaceOrder; reason: string; merchantIds: readonly number[] },
  ): Promise<void>
}

/** Tells by inbox, and by whatever else the merchant has asked for. */
export function createRefusalNotices(notify: Kind<Notice>): RefusalNotices {
  return {
    async tell(tx, { connection: { slug }, order, reason, merchantIds }) {
      const externalId = plainText(order.externalId, 100)
      for (const merchantId of merchantIds) {
        const notice: Notice = {
          merchantId,
          topic: 'order-refused',
          key: `order-refused:${slug}/${externalId}`,
          title: `Order ${externalId} of ${slug} was refused`,
          text: `${reason}.`,
        }
        await notify.enqueue(notice, { tx, tags: [ownerTag(merchantId)] })
      }
    },
  }
}
