import { adapterContract } from '@tailwater/http/testing'
import express from 'express'
import express4 from 'express4'
import { expressUnderTest } from './express_own.ts'

adapterContract('Express 5', expressUnderTest(express))
adapterContract('Express 4', expressUnderTest(express4))
