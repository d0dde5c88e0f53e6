// A file of its own: some bundlers (rolldown, which is that of vite 8) put what a file imports as CommonJS after all that it imports as ES modules,
// and reflect-metadata is CommonJS, which tsyringe must find.
import 'reflect-metadata';
