-- How often a timer was about to be applied and wasn't: what ends its server each time is found by it.
alter table timers add column attempts integer not null default 0;
