import { drawWeighted } from '../distribution.ts'
import type { Random } from '../random.ts'
import { COUNTRIES } from '../shape.ts'
import { assignMerchant } from './merchants.ts'

/** A customer of the generated data. Its id is its position plus one. */
export interface GeneratedCustomer {
  /** Position of its merchant. */
  merchant: number
  name: string
  email: string
  country: string
}

const FIRST_NAMES = (
  'Ada|Amir|Bea|Callum|Chloe|Dilip|Elif|Emma|Femi|Grace|Hana|Idris|Ines|Jack|Keira|Leo|Maja|Mei|Nadia|Noah|' +
  'Olga|Priya|Rosa|Samir|Sofie|Tom|Uma|Viktor|Wanda|Zoë'
).split('|')
const LAST_NAMES = (
  'Adeyemi|Ahmed|Baker|Bennett|Clarke|Costa|Dubois|Evans|Fischer|Garcia|Hughes|Ito|Jensen|Kaya|Khan|Lewis|' +
  "Martin|Murphy|Nowak|O'Brien|Patel|Quinn|Rossi|Schmidt|Taylor|Turner|Visser|Walker|Wong|Young"
).split('|')

const drawCountry = drawWeighted(COUNTRIES)

/** Makes `count` customers, each of one merchant. */
export function generateCustomers(random: Random, count: number): GeneratedCustomer[] {
  return Array.from({ length: count }, (_, at) => {
    const first = random.pick(FIRST_NAMES)
    const last = random.pick(LAST_NAMES)
    return {
      merchant: assignMerchant(random, at),
      name: `${first} ${last}`,
      // A domain that can never receive mail (RFC 2606).
      email: `${first}.${last}.${at + 1}@example.com`.toLowerCase().replace('ë', 'e').replace("'", ''),
      country: drawCountry(random),
    }
  })
}
