-- How lines get into the fleet's stream, and where the place in a log is. ARGV is the caller's.
--
-- An entry is the JSON of its lines. watch:<log> is a hash: cursor, near (where reading goes on), and batch, the mark of
-- the last write that had lines: whoever does not know it does not know the place either.
local WATCHED = key('watched')
local ENTRIES = 50000
local BYTES = 128 * 1024 * 1024 -- a host that floods must not fill Redis
local LOOK_EVERY = 50
local PLACE_KEPT = 7 * 24 * 3600 * 1000

local function add(host, log, kind, items)
  local at = now_ms()
  redis.call('XADD', WATCHED, 'MAXLEN', '~', ENTRIES, '*',
    'host', host, 'log', log, 'kind', kind, 'at', whole(at), 'items', items)
  if at % LOOK_EVERY == 0 then -- as good as dice
    -- An estimate from a few nodes. A server that does not tell keeps as many entries as there may be.
    local size = redis.pcall('MEMORY', 'USAGE', WATCHED)
    if type(size) == 'number' and size > BYTES then
      redis.call('XTRIM', WATCHED, 'MAXLEN', '~', math.floor(redis.call('XLEN', WATCHED) / 2))
    end
  end
end

local function place_of(host, log)
  return key('watch', (string.gsub(host, '/', ':', 1)), log)
end

local function move(place, cursor, near)
  redis.call('HSET', place, 'cursor', cursor, 'near', near)
  redis.call('PEXPIRE', place, PLACE_KEPT)
end

local function is_ours(shard, epoch)
  return redis.call('HGET', key('shard', shard), 'epoch') == epoch
end
