-- Shared by the scripts of escalations: where things are, and when somebody looks at them next.
--
-- escalation:<incident>:<sink> has: state ('live' or 'over'), opening, at (ms the trigger is due), patience (ms), said,
-- doubt, refused, attempts, failing (ms of the first failure in a row), trouble, url, looks (how often somebody said
-- "look again"), fence and taken (who sends, and until when that is theirs).

local function record_of(incident, sink)
  return key('escalation', incident, sink)
end

local function ring(sink)
  local bell = key('escalation-bell', sink)
  redis.call('LPUSH', bell, '1')
  redis.call('LTRIM', bell, 0, 0)
  redis.call('PEXPIRE', bell, KEPT)
end

-- Kept from its last change on: a telling that is not over changes at every look.
local function keep(incident, sink)
  redis.call('PEXPIRE', record_of(incident, sink), KEPT)
  redis.call('PEXPIRE', key('escalation', incident), KEPT)
  redis.call('PEXPIRE', key('escalations', sink), KEPT)
end

local function due_at(incident, sink, moment)
  redis.call('ZADD', key('escalations', sink), whole(moment), incident)
end

local function open(incident, sink, opening, at, patience)
  redis.call(
    'HSET', record_of(incident, sink),
    'state', 'live', 'opening', opening, 'at', whole(at), 'patience', whole(patience), 'attempts', '0'
  )
  redis.call('HDEL', record_of(incident, sink), 'said', 'doubt', 'refused', 'failing', 'trouble', 'url')
end
