import { nearestName } from '@tailwater/core'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import type { TSchema } from 'typebox'
import type { FieldError } from '../problem.ts'
import { NOT_BLANK } from '../schemas.ts'
import { closed, type JsonSchema } from './closed_schema.ts'

/** Checks one part of a request or reply; undefined when it fits. */
export type Validator = (value: unknown) => FieldError[] | undefined

/** Most faults told of in one reply. */
const MAX_ERRORS = 20

const quick = createAjv(false)
const thorough = createAjv(true)

function createAjv(allErrors: boolean): Ajv2020 {
  const ajv = new Ajv2020({ allErrors, verbose: true, strict: false, validateFormats: true, addUsedSchema: false })
  formats.default(ajv)
  return ajv
}

/**
 * Compiles the check of one part.
 *
 * The first check stops at the first fault; only when there is one does a second look for the others, so that a
 * huge body of faults costs no more than a huge body.
 *
 * @param part where the value stands in the request: `/query`, `/body`
 */
export function compileValidator(schema: TSchema, part: string): Validator {
  const sealed = closed(schema as JsonSchema)
  const check = quick.compile(sealed)
  let checkAll: ValidateFunction | undefined
  return (value) => {
    if (check(value)) return undefined
    const first = check.errors ?? []
    if (isLarge(value)) return describe(first, part)
    checkAll ??= thorough.compile(sealed)
    return checkAll(value) ? undefined : describe(checkAll.errors ?? first, part)
  }
}

/** Whether looking for every fault of a value would cost noticeably. */
function isLarge(value: unknown, budget = { left: 1_000 }): boolean {
  if (--budget.left < 0) return true
  if (value === null || typeof value !== 'object') return false
  for (const inner of Object.values(value)) if (isLarge(inner, budget)) return true
  return false
}

function describe(errors: readonly ErrorObject[], part: string): FieldError[] {
  const seen = new Map<string, FieldError>()
  for (const error of errors) {
    const told = fieldError(error, part)
    if (!seen.has(told.path)) seen.set(told.path, told)
    if (seen.size === MAX_ERRORS) break
  }
  return [...seen.values()]
}

function fieldError(error: ErrorObject, part: string): FieldError {
  const base = part + error.instancePath
  const params = error.params as Record<string, unknown>
  switch (error.keyword) {
    case 'required':
      return { path: `${base}/${pointer(params['missingProperty'])}`, message: 'is required', code: 'required' }
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return unknownField(error, base, String(params['additionalProperty'] ?? params['unevaluatedProperty']))
    case 'enum':
      return { path: base, message: `must be one of ${list(params['allowedValues'])}`, code: 'enum' }
    case 'anyOf':
    case 'oneOf':
    case 'const':
      return { path: base, message: choiceMessage(error), code: 'enum' }
    case 'pattern':
      if (params['pattern'] === NOT_BLANK) return { path: base, message: 'must not be blank', code: 'blank' }
      return { path: base, message: error.message ?? 'is not valid', code: 'pattern' }
    default:
      return { path: base, message: error.message ?? 'is not valid', code: error.keyword }
  }
}

function unknownField(error: ErrorObject, base: string, name: string): FieldError {
  const known = Object.keys((error.parentSchema?.['properties'] as object | undefined) ?? {})
  const near = nearestName(name, known)
  const message = near ? `is not known: did you mean '${near}'?` : 'is not known'
  return { path: `${base}/${pointer(name)}`, message, code: 'unknown' }
}

/** A union of constants is told as its words, everything else in general. */
function choiceMessage(error: ErrorObject): string {
  const branches = error.parentSchema?.['anyOf'] ?? error.parentSchema?.['oneOf']
  if (!Array.isArray(branches)) return error.message ?? 'is not valid'
  const words = branches.map((branch: JsonSchema) => branch['const'])
  return words.every((word) => word !== undefined) ? `must be one of ${list(words)}` : 'fits none of the accepted forms'
}

function list(words: unknown): string {
  return Array.isArray(words) ? words.map((word) => JSON.stringify(word)).join(', ') : ''
}

/** A name as a step of a JSON pointer (RFC 6901), shortened: it may be a client's. */
function pointer(name: unknown): string {
  const text = String(name).replaceAll('~', '~0').replaceAll('/', '~1')
  return text.length > 100 ? `${text.slice(0, 99)}…` : text
}
