-- The one SQLite file of a station. Lower case, strict tables, rules as constraints.
-- Each `-- migration: NAME` section is applied once, in order, and never edited after a release.

-- migration: 001_first
create table setting (
    key text primary key,
    value text not null
) strict;

create table manifest (
    id integer primary key,
    file_name text not null,
    sha256 text not null,               -- of the file as it came in, hex
    lines integer not null,
    pieces integer not null,
    imported_at text not null,
    imported_by text not null,
    is_complete integer not null        -- 0 while its lines are being written; swept at the next start
) strict;

create table manifest_line (
    manifest_id integer not null references manifest (id),
    identifier text not null,
    line integer not null,              -- in the file as it came in, counted from 1
    category text not null,
    district text not null,
    pieces integer not null check (pieces >= 1),
    name text not null,
    address text not null,
    extra text not null,                -- the other columns as a JSON object, '' for none
    primary key (manifest_id, identifier)
) strict, without rowid;

create table manifest_total (
    manifest_id integer not null references manifest (id),
    category text not null,
    district text not null,
    pieces integer not null,
    primary key (manifest_id, category, district)
) strict, without rowid;

create table batch (
    id integer primary key,
    slug text not null unique,
    title text not null,
    place text not null,
    held_on text not null,              -- YYYY-MM-DD or ''
    schemes text not null,              -- names joined by commas, in the order they are tried
    serial_pattern text not null,
    state text not null check (state in ('open', 'paused', 'sealed', 'cancelled')),
    manifest_id integer references manifest (id),
    category text not null default '',  -- what the officer has chosen, for a batch without a manifest
    created_at text not null,
    created_by text not null
) strict;

create table declared (
    batch_id integer not null references batch (id),
    category text not null,
    total integer not null check (total >= 0),
    primary key (batch_id, category)
) strict, without rowid;

create table batch_secret (
    batch_id integer primary key references batch (id),
    secret blob not null check (length(secret) = 32)
) strict;

-- The log. `body` is canonical JSON without any identifier; its rows never change.
create table entry (
    batch_id integer not null references batch (id),
    sequence integer not null check (sequence >= 0),
    body text not null,
    primary key (batch_id, sequence)
) strict, without rowid;

create trigger entry_is_never_changed before update on entry
begin
    select raise(abort, 'log entries are never changed');
end;

create trigger entry_is_never_deleted before delete on entry
begin
    select raise(abort, 'log entries are never deleted');
end;

-- What an entry commits to, kept apart so that it can be forgotten.
create table opening (
    batch_id integer not null,
    sequence integer not null,
    identifier text not null,           -- '' when the payload held none
    payload blob not null,              -- as the reader delivered it
    nonce text,                         -- a page's own mark of one presentation
    primary key (batch_id, sequence)
) strict, without rowid;

create unique index opening_nonce on opening (batch_id, nonce) where nonce is not null;

-- Projection of the log: the pieces that are counted now. A void takes its piece back.
create table piece (
    identifier text not null,
    batch_id integer not null,
    piece integer not null check (piece >= 1),
    sequence integer not null,
    primary key (identifier, batch_id, piece)
) strict, without rowid;

-- Projection of the log: its entries added up, so that a tally costs the same however long the log is.
create table tally (
    batch_id integer not null,
    verdict text not null,
    category text not null,
    district text not null,
    total integer not null,
    manual integer not null,
    primary key (batch_id, verdict, category, district)
) strict, without rowid;

-- migration: 002_tallied
-- Up to which entry the kept tally counts; it is brought up to date now and then, not at every card.
create table tallied (
    batch_id integer primary key references batch (id),
    sequence integer not null
) strict;

-- migration: 010_people
create table person (
    id integer primary key,
    name text not null,
    name_key text not null unique,      -- two people never differ by capital letters only
    role text not null check (role in ('officer', 'witness', 'supervisor')),
    secret text not null,               -- Argon2id of the PIN or passphrase
    nip text not null,
    position text not null,
    is_active integer not null,
    created_at text not null,
    created_by text not null
) strict;

-- Who is signed in. Kept so that pages go on after a restart.
create table login (
    token_sha256 blob primary key check (length(token_sha256) = 32),
    person_id integer references person (id),   -- null for a witness who was paired
    name text not null,
    role text not null check (role in ('officer', 'witness', 'supervisor')),
    is_kiosk integer not null,          -- 1: on this machine; never valid from the network
    started_at text not null,
    seen_at text not null
) strict, without rowid;

create table lockout (
    account text not null,              -- a name_key, or '' for all names that nobody has
    address text not null,              -- 'kiosk', or where in the network
    failures integer not null,
    failed_at text not null,
    primary key (account, address)
) strict, without rowid;

-- What was done to people and the office's certificate; shown to the supervisor, never changed.
create table station_event (
    id integer primary key,
    at text not null,
    by text not null,
    what text not null,
    about text not null
) strict;

create trigger station_event_is_never_changed before update on station_event
begin
    select raise(abort, 'the record of the station is never changed');
end;

create trigger station_event_is_never_deleted before delete on station_event
begin
    select raise(abort, 'the record of the station is never deleted');
end;

-- migration: 020_tree
-- The tree over the log, kept with its entries: what each one completes (domain/merkle.py).
alter table entry add column nodes blob not null default x'';

-- What the manifest says without naming anybody: its commitments' digest, which the log opens with.
alter table manifest add column commitments_sha256 text not null default '';

-- Typed by a witness before the first card, so that the log cannot have been made beforehand.
alter table batch add column witness_nonce text not null default '';

-- Every head that the station's key has signed, for ever. No entry: it would move the head it signs.
create table checkpoint (
    batch_id integer not null references batch (id),
    size integer not null check (size > 0),
    root blob not null check (length(root) = 32),
    note text not null,                 -- as signed by the log, without cosignatures
    signed_at text not null,
    primary key (batch_id, size)
) strict, without rowid;

create trigger checkpoint_is_never_changed before update on checkpoint
begin
    select raise(abort, 'signed heads are never changed');
end;

create trigger checkpoint_is_never_deleted before delete on checkpoint
begin
    select raise(abort, 'signed heads are never deleted');
end;

-- Projection of the log: the witnesses' keys that its entries name.
create table witness_key (
    batch_id integer not null references batch (id),
    name text not null,                 -- of the key, as it stands in signature lines
    vkey text not null,
    sequence integer not null,          -- of the entry that names it
    primary key (batch_id, name)
) strict, without rowid;

create table cosignature (
    batch_id integer not null,
    size integer not null,
    name text not null,                 -- of the witness's key
    line text not null,                 -- as it stands under the head
    received_at text not null,
    primary key (batch_id, size, name),
    foreign key (batch_id, size) references checkpoint (batch_id, size)
) strict, without rowid;

create trigger cosignature_is_never_changed before update on cosignature
begin
    select raise(abort, 'cosignatures are never changed');
end;

create trigger cosignature_is_never_deleted before delete on cosignature
begin
    select raise(abort, 'cosignatures are never deleted');
end;

-- The manifest's commitments, kept when its people are forgotten; until then they are computed.
create table manifest_commitment (
    manifest_id integer not null references manifest (id),
    card text not null,
    category text not null,
    pieces integer not null check (pieces >= 1),
    primary key (manifest_id, card)
) strict, without rowid;

-- migration: 030_custody
-- Finds what is not simply one more counted card. Kept by SQLite itself, so it cannot disagree with
-- the log. Queries must repeat its condition word for word (storage/custody.py).
create index entry_remarkable on entry (batch_id, body ->> 'kind', sequence)
where body ->> 'kind' is not 'scan' or body ->> 'verdict' is not 'counted'
    or body ->> 'earlier_batch' is not null;

-- A picture of a card that was typed or on which nothing is legible; its SHA-256 stands in the entry.
create table photograph (
    batch_id integer not null,
    sequence integer not null,
    picture blob not null,
    primary key (batch_id, sequence),
    foreign key (batch_id, sequence) references entry (batch_id, sequence)
) strict;

-- What the office states elsewhere, say to the press. Each change is also an entry of the log.
create table declared_figure (
    batch_id integer not null references batch (id),
    axis text not null check (axis in ('total', 'category', 'district')),
    name text not null,                 -- '' for the total
    total integer not null check (total >= 0),
    primary key (batch_id, axis, name)
) strict, without rowid;

insert into declared_figure select batch_id, 'category', category, total from declared;
drop table declared;

-- The sealed batch that this one adds to, '' for none.
alter table batch add column supplements text not null default '';

-- migration: 040_minutes
-- What a supervisor enters once for a batch's minutes (domain/particulars.py). No part of the log:
-- it may be completed after the batch was sealed.
create table particulars (
    batch_id integer primary key references batch (id),
    body text not null                  -- JSON
) strict;

-- migration: 050_rehearsal
-- A practice with generated cards. Decided when the batch is created; its log opens with it.
alter table batch add column is_rehearsal integer not null default 0 check (is_rehearsal in (0, 1));

create trigger batch_stays_a_rehearsal_or_none before update of is_rehearsal on batch
begin
    select raise(abort, 'a rehearsal stays one, and a real batch stays real');
end;

-- migration: 060_openings
-- What an entry commits to stands in its own row, where it can be forgotten, so that a card costs one
-- page less to write. All that the tree stands over is never changed, as before.
drop trigger entry_is_never_changed;
alter table entry add column identifier text;   -- null when the payload holds none, or is forgotten
alter table entry add column payload blob;      -- as the reader delivered it
alter table entry add column nonce text;        -- a page's own mark of one presentation

update entry set (identifier, payload, nonce) = (
    select nullif(identifier, ''), payload, nonce from opening
    where opening.batch_id = entry.batch_id and opening.sequence = entry.sequence);

drop table opening;
create unique index entry_nonce on entry (batch_id, nonce) where nonce is not null;

create trigger entry_is_never_changed before update of batch_id, sequence, body, nodes on entry
begin
    select raise(abort, 'log entries are never changed');
end;

-- migration: 070_entry_key
-- The log grows at the end of its pages: one key of one number (storage/entry_key.py). Keyed by two
-- columns, `without rowid`, whole entries stood in the inner pages, too, and every eighth card moved some.
create table keyed_entry (
    key integer primary key,            -- batch and sequence in one
    batch_id integer not null generated always as (key >> 32) virtual references batch (id),
    sequence integer not null generated always as (key & 0xffffffff) virtual,
    body text not null,
    nodes blob not null default x'',
    identifier text,                    -- null when the payload holds none, or is forgotten
    payload blob,                       -- as the reader delivered it
    nonce text                          -- a page's own mark of one presentation
) strict;

insert into keyed_entry (key, body, nodes, identifier, payload, nonce)
select (batch_id << 32) + sequence, body, nodes, identifier, payload, nonce from entry
order by batch_id, sequence;

create table keyed_photograph (
    batch_id integer not null,
    sequence integer not null,
    picture blob not null,
    entry_key integer not null generated always as ((batch_id << 32) + sequence) virtual
        references keyed_entry (key),
    primary key (batch_id, sequence)
) strict;

insert into keyed_photograph select batch_id, sequence, picture from photograph;
drop table photograph;
alter table keyed_photograph rename to photograph;

drop table entry;
alter table keyed_entry rename to entry;

create unique index entry_nonce on entry (batch_id, nonce) where nonce is not null;

create index entry_remarkable on entry (batch_id, body ->> 'kind', sequence)
where body ->> 'kind' is not 'scan' or body ->> 'verdict' is not 'counted'
    or body ->> 'earlier_batch' is not null;

create trigger entry_is_never_changed before update of key, body, nodes on entry
begin
    select raise(abort, 'log entries are never changed');
end;

create trigger entry_is_never_deleted before delete on entry
begin
    select raise(abort, 'log entries are never deleted');
end;
