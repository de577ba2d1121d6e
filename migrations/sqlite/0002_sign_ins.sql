-- Sign-ins in the browser, and grants of providers.

alter table application add column token_response integer not null default 0;

-- Of all applications: a provider that tells of a change names a mailbox and nothing else.
create index account_by_address on account (kind, email_folded) where email_folded is not null;
create index account_by_identity on account (mailbox);

-- Apart from the account, because it changes with every refresh. held_until: when the refresh that is
-- under way counts as given up.
create table account_grant (
    account integer not null primary key references account (id) on delete cascade,
    secret blob not null,
    version integer not null,
    holder text,
    held_until integer
) strict;

-- Sign-ins that have begun, by the digest of their state.
create table pending_sign_in (
    state blob not null primary key,
    application integer not null references application (id) on delete cascade,
    request blob not null,
    expires_at integer not null
) strict, without rowid;

create index pending_sign_in_by_application on pending_sign_in (application);
create index pending_sign_in_by_end on pending_sign_in (expires_at);

-- Codes that can be exchanged for an account token, by their digest. token: the digest of the token that
-- it was exchanged for.
create table sign_in_code (
    code blob not null primary key,
    account integer not null references account (id) on delete cascade,
    expires_at integer not null,
    token blob
) strict, without rowid;

create index sign_in_code_by_account on sign_in_code (account);
create index sign_in_code_by_end on sign_in_code (expires_at);
