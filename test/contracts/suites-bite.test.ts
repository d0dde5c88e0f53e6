import { describe, expect, it } from 'vitest';
import {
  httpSessionReaderContract,
  revocationFeedContract,
  sessionStoreContract,
  ticketStoreContract,
  tokenIssuerContract,
  tokenRepositoryContract,
  userRepositoryContract,
} from '../../entries/testing.js';
import { bites } from './bites.js';
import { httpSessionReaders, tokenIssuers, tokenRenewers, tokenRepositories, userRepositories } from './broken-repositories.js';
import * as feeds from './broken-revocation-feeds.js';
import * as sessionStores from './broken-session-stores.js';
import { ticketStores } from './broken-ticket-stores.js';
import * as failing from './failing-readers.js';
import { failingTests } from './failing-tests.js';
import { httpSessionFixture, ticketFixture, tokenFixture, userFixture } from './memory-fixtures.js';

const { failingHttpSessionFixture, Gate: _, ...failingReaders } = failing;

bites('TicketStore', ticketStores, (Store) => ticketStoreContract({ create: () => ticketFixture(Store) }), {
  LooksThenRemoves: ['of many that use one ticket at once exactly one succeeds'],
  NeverExpires: [
    'a ticket is good until its time is over, and not from then on',
    'a ticket that was refused in time stays refused, and harms no other',
  ],
  KeepsWhatWasUsed: ['a ticket can be used once', 'of many that use one ticket at once exactly one succeeds'],
  ForgetsTheSession: [
    'consume gives what the ticket was issued for, in full',
    'a user may have many tickets at once, and the use of one uses up no other',
  ],
  KeepsOnePerUser: ['a user may have many tickets at once, and the use of one uses up no other'],
  IgnoresCase: ['consume gives undefined for what is no ticket of this store'],
  TakesAnyTicket: ['what is no string is a TypeError in consume, and uses nothing up'],
  CountsUp: ['tickets are strings that may stand in a URL, all of them different, of at least 128 bits'],
});

bites('SessionStore', sessionStores, (Store) => sessionStoreContract({ create: () => new Store() }), {
  CheckThenCreate: [
    'of several creations of one id at once exactly one succeeds',
    'of several that replace one expired record at once exactly one succeeds',
  ],
  CheckThenSave: [
    'of several saves from one version at once exactly one succeeds, and the record is its',
    'writers who load and try again lose no change',
    'a session created after destroy is not overwritten by one who knew the one before, though the versions are the same',
    'what is no session is a TypeError in create and save, and leaves the record as it was',
  ],
  ForgetsDestroy: [
    'touch does not revive a destroyed record',
    'destroy removes the record, and that one alone',
    'destroy does nothing where there is no record',
    'create works again after destroy',
    'save does not revive a destroyed record',
    'touchMany, where there is one, does the same for several records and creates or revives none',
    'a session created after destroy is not overwritten by a save that knew the one before',
    'a session created after destroy is not overwritten by one who knew the one before, though the versions are the same',
    'ids are told apart to the last character, by case too, and may hold any printable character',
    'nothing is found under names that every object has, and they serve as ids like any others',
    'what is no id is a TypeError in every method, and harms no record',
  ],
  DestroysByPattern: ['ids are told apart to the last character, by case too, and may hold any printable character'],
  LeavesOutEmpty: ['any data that JSON can hold comes back unchanged'],
  TrimsIds: [
    'ids are told apart to the last character, by case too, and may hold any printable character',
    'what is no id is a TypeError in every method, and harms no record',
  ],
  TouchesByPrefix: ['ids are told apart to the last character, by case too, and may hold any printable character'],
  IgnoresBirth: [
    'a session created after destroy is not overwritten by one who knew the one before, though the versions are the same',
    'what is no session is a TypeError in create and save, and leaves the record as it was',
  ],
  IgnoresCase: [
    'ids are told apart to the last character, by case too, and may hold any printable character',
    'nothing is found under names that every object has, and they serve as ids like any others',
    'what is no id is a TypeError in every method, and harms no record',
  ],
  LastWriterWins: [
    'save refuses a version that is not the newest any more, and leaves the record as it was',
    'save refuses a version that is yet to come',
    'of several saves from one version at once exactly one succeeds, and the record is its',
    'writers who load and try again lose no change',
    'a session created after destroy is not overwritten by a save that knew the one before',
    'a session created after destroy is not overwritten by one who knew the one before, though the versions are the same',
    'what is no session is a TypeError in create and save, and leaves the record as it was',
  ],
  NaiveCopy: [
    'keys such as __proto__, constructor or a.b are data like any others, and change no object',
    'what is no session is a TypeError in create and save, and leaves the record as it was',
  ],
  NeverExpires: [
    'load does not give an expired record, removed or not',
    'create replaces an expired record',
    'touch can end a record at once',
    'touch does not revive an expired record',
    'save does not revive an expired record',
    'touchMany, where there is one, does the same for several records and creates or revives none',
    'of several that replace one expired record at once exactly one succeeds',
  ],
  NeverSaves: expect.arrayContaining([
    'save replaces the whole record where its version is the expected one',
    'writers who load and try again lose no change',
  ]),
  OtherErrors: [
    'save does not revive a destroyed record',
    'save does not revive an expired record',
    'save refuses a version that is not the newest any more, and leaves the record as it was',
    'save refuses a version that is yet to come',
    'save never inserts',
    'of several saves from one version at once exactly one succeeds, and the record is its',
    'writers who load and try again lose no change',
    'a session created after destroy is not overwritten by a save that knew the one before',
    'a session created after destroy is not overwritten by one who knew the one before, though the versions are the same',
    'what is no id is a TypeError in every method, and harms no record',
    'what is no session is a TypeError in create and save, and leaves the record as it was',
  ],
  PlainObjectStore: [
    'a session created after destroy is not overwritten by one who knew the one before, though the versions are the same',
    'changing what was given to create or save does not change the record',
    'changing what load gave does not change the record',
    'nothing is found under names that every object has, and they serve as ids like any others',
    'what is no id is a TypeError in every method, and harms no record',
    'what is no session is a TypeError in create and save, and leaves the record as it was',
    'what is no valid date is a TypeError in touch and touchMany, and leaves the record as it was',
  ],
  ReplacingCreate: ['create refuses an id that is taken, and leaves its record as it was'],
  RevivingTouch: [
    'touch does not revive a destroyed record',
    'touch does not revive an expired record',
    'touchMany, where there is one, does the same for several records and creates or revives none',
    'what is no id is a TypeError in every method, and harms no record',
  ],
  TakesAnyId: ['what is no id is a TypeError in every method, and harms no record'],
  TakesAnySession: ['what is no session is a TypeError in create and save, and leaves the record as it was'],
  ThrowsAtOnce: ['what is no id is a TypeError in every method, and harms no record'],
  TimesAsText: expect.arrayContaining(['load gives what create was given, the times as dates', 'touch changes expiresAt and nothing else']),
  TouchesTheFirstOnly: [
    'touchMany, where there is one, does the same for several records and creates or revives none',
    'what is no id is a TypeError in every method, and harms no record',
  ],
  UpsertingSave: ['save does not revive a destroyed record', 'save does not revive an expired record', 'save never inserts'],
  VersioningTouch: ['touch changes expiresAt and nothing else', 'touch does not change the version: a save from before it still succeeds'],
});

bites('TokenRepository', tokenRepositories, (Repository) => tokenRepositoryContract({ create: () => tokenFixture(Repository) }), {
  DropsTimes: [
    'the grant of a token that will expire says when, as a date',
    'an expired token is absent, or says when it expired',
    'a revoked token is absent, or says when it was revoked',
    'changing a grant does not change the token',
  ],
  ChecksTheFirstIdOnly: ['what is no id is a TypeError in every method'],
  FillsBatches: ['findByIds, where there is one, gives what findById gives and leaves unknown ids out'],
  InventsUsers: ['a token whose user was deleted or disabled gives no user'],
  MixesUpLookups: ['of many look-ups at once each gets its own user'],
  SharesGrants: ['a token whose user was deleted or disabled gives no user', 'changing a grant does not change the token'],
  TakesAnyId: [
    'a key is no id: it is a TypeError, and one of the shape of an id finds nothing',
    'what is no id is a TypeError in every method',
  ],
  TakesKeysForIds: ['a key is no id: it is a TypeError, and one of the shape of an id finds nothing'],
  ThrowsForUnknown: [
    'findById gives undefined for an unknown token',
    'a key is no id: it is a TypeError, and one of the shape of an id finds nothing',
    'of many look-ups at once each gets its own user',
  ],
});

bites('TokenIssuer', tokenIssuers, (Issuer) => tokenIssuerContract({ create: () => tokenFixture(Issuer) }), {
  AlwaysRevokes: [
    'revoke is false for an unknown token and for one that is revoked already',
    'of several revocations of one token at once exactly one did it',
    'to revoke one of the tokens that were rotated into one another is to revoke them all',
  ],
  IgnoresTtl: [
    'ttlMs sets the time at which the token expires',
    'issue refuses options out of their range with a TypeError',
    'listOf describes the tokens of one user and does not show their keys',
    'extend gives a token another ttlMs from now, and says when it ends',
    'extend leaves the other tokens of the user as they are',
    'extend never shortens a life, nor bounds one that has no end',
    'of several extensions at once the longest holds',
    'extend refuses what is no id and options out of their range with a TypeError',
    'a new token lives as long as the old one would have, or for ttlMs',
    'no old key works longer by its grace than it would have, nor by being rotated or extended again',
  ],
  IssuesToNobody: ['issue for a user who does not exist is a TypeError with ERR_USER_UNKNOWN, and makes no token'],
  ListsNewestFirst: ['listOf gives the oldest token first'],
  NeverRevokes: [
    'a revoked token is absent, or says when it was revoked',
    'revokeAllOf revokes the tokens of one user and counts them',
    'listOf leaves expired and revoked tokens out',
    'extend brings no token back: it is undefined for one that counts no more',
    'to revoke one of the tokens that were rotated into one another is to revoke them all',
    'rotate is undefined for a token that counts no more, and makes none',
    'by the time that tokens are revoked, revocations, where there are any, has told of each of them',
  ],
  RevokesEverybody: [
    'what is no id is a TypeError in every method, and revokes nothing',
    'revokeAllOf revokes the tokens of one user and counts them',
    'the tokens of one user are not those of another whose id looks alike',
  ],
  RevokesWhatMatches: ['what is no id is a TypeError in every method, and revokes nothing'],
  TrimsUserIds: ['the tokens of one user are not those of another whose id looks alike'],
  ShowsKeys: ['listOf describes the tokens of one user and does not show their keys'],
  TakesAnyOption: ['issue refuses options out of their range with a TypeError'],
});

bites('TokenIssuer, where it renews,', tokenRenewers, (Issuer) => tokenIssuerContract({ create: () => tokenFixture(Issuer) }), {
  LooksUpOneAtATime: ['a key used after its grace revokes all that it was rotated into, and looking it up with others does not'],
  ShortensLives: [
    'extend never shortens a life, nor bounds one that has no end',
    'extend keeps to maxAgeMs, counted from when the token was issued',
    'no old key works longer by its grace than it would have, nor by being rotated or extended again',
    'extend keeps a rotated token to maxAgeMs, counted from when the first of its chain was issued',
  ],
  ExtendsAllOfTheUser: ['extend leaves the other tokens of the user as they are'],
  ExtendsTheDead: ['extend brings no token back: it is undefined for one that counts no more'],
  IgnoresAge: [
    'extend never shortens a life, nor bounds one that has no end',
    'extend keeps to maxAgeMs, counted from when the token was issued',
    'extend refuses what is no id and options out of their range with a TypeError',
    'rotate keeps to maxAgeMs, counted from when the first of the chain was issued',
    'extend keeps a rotated token to maxAgeMs, counted from when the first of its chain was issued',
    'rotate refuses what is no id and options out of their range with a TypeError, and makes no token',
  ],
  EndsAtOnce: [
    'rotate gives a new key for the same user, and the old one works for its grace and names its successor',
    'a new token lives as long as the old one would have, or for ttlMs',
    'no old key works longer by its grace than it would have, nor by being rotated or extended again',
    'of several rotations of one token each gives a key of its own that works',
    'rotate refuses what is no id and options out of their range with a TypeError, and makes no token',
  ],
  IssuesAnother: [
    'rotate keeps to maxAgeMs, counted from when the first of the chain was issued',
    'rotate gives a new key for the same user, and the old one works for its grace and names its successor',
    'a new token lives as long as the old one would have, or for ttlMs',
    'no old key works longer by its grace than it would have, nor by being rotated or extended again',
    'a key used after its grace revokes all that it was rotated into, and looking it up with others does not',
    'to revoke one of the tokens that were rotated into one another is to revoke them all',
    'no successor is left where all is revoked while a token is rotated',
    'extend keeps a rotated token to maxAgeMs, counted from when the first of its chain was issued',
    'rotate is undefined for a token that counts no more, and makes none',
    'rotate refuses what is no id and options out of their range with a TypeError, and makes no token',
    'revocations, where there are any, hints at a token that is rotated, and tells of those that a replay revokes',
    'revokeAllOf tells of rotated tokens whose grace is over, too, and does not count them',
  ],
  IgnoresReplays: [
    'a key used after its grace revokes all that it was rotated into, and looking it up with others does not',
    'revocations, where there are any, hints at a token that is rotated, and tells of those that a replay revokes',
  ],
  SeesReplaysInSweeps: ['a key used after its grace revokes all that it was rotated into, and looking it up with others does not'],
  NamesNoSuccessor: ['rotate gives a new key for the same user, and the old one works for its grace and names its successor'],
  TellsNothing: [
    'by the time that tokens are revoked, revocations, where there are any, has told of each of them',
    'revocations, where there are any, hints at a token that is rotated, and tells of those that a replay revokes',
    'revokeAllOf tells of rotated tokens whose grace is over, too, and does not count them',
  ],
});

bites('UserRepository', userRepositories, (Repository) => userRepositoryContract({ create: () => userFixture(new Repository()) }), {
  FillsBatches: [
    'ids are told apart to the first and the last character',
    'nothing is found under names that every object has',
    'what is no id is a TypeError in every method',
    'findByIds, where there is one, gives what findById gives and leaves the others out',
  ],
  NeverDeletes: [
    'findById gives undefined for a user that was deleted or disabled',
    'findByIds, where there is one, gives what findById gives and leaves the others out',
  ],
  PlainObject: ['nothing is found under names that every object has'],
  Remembers: ['findById gives undefined for a user that was deleted or disabled'],
  TakesAnyId: ['what is no id is a TypeError in every method'],
  TrimsIds: ['ids are told apart to the first and the last character'],
  TakesBeginnings: ['ids are told apart to the first and the last character'],
  ThrowsForUnknown: [
    'findById gives undefined for an unknown user',
    'ids are told apart to the first and the last character',
    'findById gives undefined for a user that was deleted or disabled',
    'nothing is found under names that every object has',
  ],
});

bites('HttpSessionReader', httpSessionReaders, (Reader) => httpSessionReaderContract({ create: () => httpSessionFixture(Reader) }), {
  IgnoresCase: ['read gives undefined where no cookie of this exact name is there'],
  SharesReads: ['of many reads at once each gets its own session'],
  KeepsOnePerUser: ['a user may have several sessions, and one ends without the others'],
  CreatesSessions: [
    'read gives undefined for a cookie that names no session',
    'a session that has ended is gone for read and readById',
    'readById gives undefined for an unknown id',
    'save rejects where the session has ended, and does not bring it back to life',
  ],
  GivesOneObject: ['a change that is not saved is not seen by others', 'a change after save is not seen by others'],
  NeverEnds: [
    'a session that has ended is gone for read and readById',
    'readByIds, where there is one, gives what readById gives and leaves the others out',
    'save rejects where the session has ended, and does not bring it back to life',
  ],
  Remembers: [
    'a session that has ended is gone for read and readById',
    'save rejects where the session has ended, and does not bring it back to life',
  ],
  SavesNothing: ['what save wrote is read again', 'save rejects where the session has ended, and does not bring it back to life'],
  SearchesTheHeader: [
    'read gives undefined where no cookie of this exact name is there',
    'read gives undefined for a cookie that names no session',
  ],
  TakesAnyId: ['what is no id is a TypeError in readById and readByIds, where ids are known'],
});

const downMeans = 'a store that is down means "cannot tell": nothing is read, and nothing said to be gone';
const hangingMeans = 'a store that hangs means "cannot tell", once the reader has given up';
const lateMeans = 'an answer that comes after the reader has given up changes nothing, and the next one counts';

bites(
  'HttpSessionReader, over a store that fails,',
  failingReaders,
  (Reader) => httpSessionReaderContract({ create: () => failingHttpSessionFixture(Reader) }),
  {
    FailsHonestly: [],
    IsAnonymousWhenDown: [downMeans],
    EndsSessionsWhenDown: [downMeans],
    IsAnonymousWhenLate: [hangingMeans, lateMeans],
    KeepsTheLateAnswer: [lateMeans],
  },
);

describe('a suite', () => {
  it('gives every test a fixture of its own, and disposes of it also when the test failed', async () => {
    const created: unknown[] = [];
    const disposed: unknown[] = [];
    const tests = sessionStoreContract({
      async create() {
        const store = new sessionStores.LastWriterWins();
        created.push(store);
        return store;
      },
      async dispose(store) {
        disposed.push(store);
      },
    });
    expect(await failingTests(tests)).not.toEqual([]);
    expect(new Set(created).size).toBe(tests.length);
    expect(disposed).toEqual(created);
  });

  it('has no two tests of one name, whatever parts it is put together of', () => {
    for (const tests of [
      sessionStoreContract({ create: () => new sessionStores.LastWriterWins() }),
      tokenIssuerContract({ create: () => tokenFixture() }),
      httpSessionReaderContract({ create: () => httpSessionFixture() }),
    ]) {
      expect(new Set(tests.map(({ name }) => name)).size).toBe(tests.length);
    }
  });
});

const { feedFixture, Interruptible, ...brokenFeeds } = feeds;

describe('the suite of RevocationFeed', () => {
  it('has nothing against a feed that keeps its word', async () => {
    expect(await failingTests(revocationFeedContract({ create: () => feedFixture(Interruptible) }))).toEqual([]);
  });
});

const missedRevocations = 'what may have been missed while it was cut off is told of as a gap, and later revocations arrive again';
const sinceTheGap = 'what is revoked as soon as a gap is told is told, or another gap';

bites('RevocationFeed', brokenFeeds, (Feed) => revocationFeedContract({ create: () => feedFixture(Feed) }), {
  DropsHints: ['what is published is told to every subscriber as it was given'],
  ForgetsGaps: [missedRevocations, sinceTheGap],
  LosesOneOfTen: [
    'of a hundred tokens revoked at once every one is told',
    'what names no token, user or HTTP session by its id is a TypeError in publish, and is told to nobody',
  ],
  StaysCutOff: [missedRevocations, sinceTheGap],
  StopsAtThrows: ['a subscriber that throws keeps no other from hearing, nor itself from the next'],
  TakesAnyRevocation: ['what names no token, user or HTTP session by its id is a TypeError in publish, and is told to nobody'],
  TellsGapsTooEarly: [sinceTheGap],
  TellsGapsWhenCut: [missedRevocations, sinceTheGap],
  TellsTheEnded: ['a subscription that was ended hears nothing more, ending it twice does no harm, and others go on'],
  TellsTheFirstOnly: [
    'a revoked token is told, to every subscriber',
    'a token that is revoked as soon as the subscription stands is told',
    'a subscriber that throws keeps no other from hearing, nor itself from the next',
    'what is published is told to every subscriber as it was given',
  ],
  WakesAtLogIns: ['log-ins wake nobody'],
});
