export { type InstrumentOptions, instrument } from '../adapters/opentelemetry/instrument.js';
