-- Open work that no server performs yet: the nil id stands for nobody among the owners of a run.
create index executions_unclaimed on executions (id) where '00000000-0000-0000-0000-000000000000' = any(owners);
