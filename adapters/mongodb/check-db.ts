import { Db, ObjectId } from 'mongodb';
import { kindOf } from '../../src/kind-of.js';

const bsonVersion = Symbol.for('@@mdb.bson.version');

/** The major version of the driver that is installed, as its BSON library, which has the same, tells it. */
const major: unknown = Reflect.get(ObjectId.prototype, bsonVersion);

/**
 * @throws {TypeError} unless `db` is a database of the driver that this adapter uses, of its major version, whose options let writes be
 * answered and documents be read.
 */
export function checkDb(owner: string, db: Db): Db {
  checkDriver(owner, 'db', db);
  const { writeConcern, bsonOptions }: { writeConcern?: Db['writeConcern']; bsonOptions?: Db['bsonOptions'] } = db;
  if (writeConcern?.w === 0) throw refused(owner, 'a write concern other than w: 0', 'w: 0, under which no write is ever answered');
  if (bsonOptions?.raw) throw refused(owner, 'raw: false', 'raw: true, under which documents are bytes');
  if (bsonOptions?.promoteValues === false) {
    throw refused(owner, 'promoteValues: true', 'promoteValues: false, under which numbers are objects');
  }
  return db;
}

/** @throws {TypeError} unless `db` is a database of the driver, of the major version that this adapter uses. */
export function checkDriver(owner: string, name: string, db: Db): void {
  const candidate: Partial<Db> | null | undefined = db;
  if (typeof candidate?.collection !== 'function' || typeof candidate.databaseName !== 'string') {
    throw new TypeError(`${owner}: ${name} must be a Db of the mongodb driver (client.db(name)), got ${kindOf(db)}`);
  }
  if (db instanceof Db) return;
  const version = driverVersionOf(db) ?? bsonVersionOf(db);
  if (version !== undefined && typeof major === 'number' && Number.parseInt(version, 10) !== major) {
    throw new TypeError(
      `${owner}: ${name} must be a Db of mongodb ${major} (import MongoClient from the mongodb that is installed beside ws-with), ` +
        `got one of mongodb ${version}: what this adapter sends it cannot be read there`,
    );
  }
}

function refused(owner: string, expected: string, got: string): TypeError {
  return new TypeError(`${owner}: db must have ${expected}, got one with ${got}; take client.db(name, options) with other options`);
}

/** What a client tells servers of its driver. Version 7 makes a promise of it, earlier ones do not. */
function driverVersionOf(db: object): string | undefined {
  const { client } = db as { client?: { options?: { metadata?: { driver?: { version?: unknown } } } } };
  const version = client?.options?.metadata?.driver?.version;
  return typeof version === 'string' ? version : undefined;
}

/** The major version of the BSON library, which goes with the driver's, as the ids that the driver makes tell it. */
function bsonVersionOf(db: object): string | undefined {
  const { s } = db as { s?: { pkFactory?: { createPk?: () => unknown } } };
  try {
    const id = s?.pkFactory?.createPk?.() as { [bsonVersion]?: unknown } | undefined;
    const version = id?.[bsonVersion];
    return typeof version === 'number' ? String(version) : undefined;
  } catch {
    return undefined; // an application's own factory says nothing
  }
}
