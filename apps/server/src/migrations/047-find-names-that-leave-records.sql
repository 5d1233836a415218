-- Names that have ended and leave something to be done, by domain: one that still has records of its names is not given up.
create index name_registration_leaves on name_registration (domain) where phase = 'freed' and look_at is not null;
