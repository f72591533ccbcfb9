import type { Assessment, Finding, QualityProvider } from './quality_provider.ts'
import { rules } from './rules.ts'

/** Points that a finding costs. */
const COST: Readonly<Record<Finding['severity'], number>> = { error: 25, warning: 10, hint: 3 }

/** Judges by rules, in this process: no model, no network, the same answer each time. */
export const ruleProvider: QualityProvider = {
  name: 'rules',
  wait: 0,
  async assess(product): Promise<Assessment> {
    const findings = rules.map((rule) => rule(product)).filter((found) => found !== undefined)
    const cost = findings.reduce((sum, { severity }) => sum + COST[severity], 0)
    return { score: Math.max(0, 100 - cost), findings }
  },
}
