import { evictionPolicyContract } from '@tailwater/cache/testing'
import { policyFactory, policyNames } from '../../src/near/policy_choice.ts'

for (const name of policyNames) evictionPolicyContract(name, policyFactory(name))
