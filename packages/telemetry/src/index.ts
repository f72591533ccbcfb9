export type { TelemetryOptions } from './options.ts'
export { type History, type Point, type SeriesName, seriesNames } from './series.ts'
export { Sketch } from './sketch.ts'
export { createTelemetry, type Telemetry } from './telemetry.ts'
