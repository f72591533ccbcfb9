import type { JsonSchema } from '../validation/closed_schema.ts'

const text = (description: string, example: string): JsonSchema => ({
  type: 'string',
  description,
  examples: [example],
})

/** The schema of every problem reply (RFC 9457). */
export const PROBLEM_SCHEMA: JsonSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'requestId'],
  properties: {
    type: text('Names the kind of problem.', 'urn:tailwater:error:E_VALIDATION'),
    title: text('The status in words.', 'Bad Request'),
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: text('What is wrong, for people.', 'The request is not valid.'),
    instance: text('The path that was asked for.', '/api/products'),
    code: text('Names the kind of problem, for programs.', 'E_VALIDATION'),
    requestId: text('Finds this request in the log.', '0190a0b0-0000-7000-8000-000000000000'),
    errors: {
      type: 'array',
      description: 'Which fields are wrong.',
      items: {
        type: 'object',
        required: ['path', 'message', 'code'],
        properties: {
          path: text('JSON pointer into the request.', '/body/price'),
          message: text('What is wrong with the field.', 'must be >= 0'),
          code: text('The rule that was broken.', 'minimum'),
        },
      },
    },
  },
}

/** The response that stands for every problem. */
export const PROBLEM_RESPONSE: JsonSchema = {
  description: 'A problem: what is wrong, and the id under which it is found in the log.',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
}
