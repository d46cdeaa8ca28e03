-- Gives the lead back, so that nobody has to wait for the end of the lease.
-- KEYS: leader
-- ARGV: holder
-- returns: 1; 0: it does not lead
return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0
