-- The samples of a link since a moment, its two sets in one look.
local probes, copies, since = unpack(ARGV)
return {
  redis.call('ZRANGEBYSCORE', probes, since, '+inf'),
  redis.call('ZRANGEBYSCORE', copies, since, '+inf'),
}
