/** Name of the schema with the merchant's tables. */
export const MERCHANT_SCHEMA = 'merchant'
