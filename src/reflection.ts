// A file of its own: see injection.ts.
import 'reflect-metadata';
