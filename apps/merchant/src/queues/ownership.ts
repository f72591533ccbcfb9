/** The tag of a merchant's jobs: by it `GET /api/jobs/:id` knows who may see them. */
export function ownerTag(merchantId: number): string {
  return `merchant:${merchantId}`
}
