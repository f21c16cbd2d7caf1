-- First result wins: many replies in one call, each with at most four commands.
-- KEYS: the answered counters; then for each reply: its marker, its result, [its reply stream], parked keys …
-- ARGV: length and TTL of reply streams, number of counters, (stream, replies) …; then for each reply:
--       mark, marker TTL, keep, 1 when a reply stream is named, number of parked keys, number of fields and values,
--       fields and values (beginning with id, status, model and version).
-- A mark is `token LF entry LF`: the marker holds the winner's token and every entry it has served.
-- Cases: 1 the id is new: this reply wins. 2 its entry was served already: a replay, dropped.
--        3 a new entry with a known id: a retry, which gets the stored reply on its own stream.
-- Returns won, replayed, retried, refused (reply streams that are no streams).
local call, try = redis.call, redis.pcall
local length, ttl = ARGV[1], ARGV[2]
local k, a = 2, 4
local won, replayed, retried, refused = 0, 0, 0, 0
local renewed = {}

for _ = 1, tonumber(ARGV[3]) do
  call('HINCRBY', KEYS[1], ARGV[a], ARGV[a + 1])
  a = a + 2
end

local function append(stream, ...)
  local added = try('XADD', stream, 'MAXLEN', '~', length, '*', ...)
  if type(added) == 'table' and added.err then
    refused = refused + 1
  elseif not renewed[stream] then
    renewed[stream] = true
    call('EXPIRE', stream, ttl)
  end
end

local function unpark(from, count)
  if count > 0 then
    call('UNLINK', unpack(KEYS, from, from + count - 1))
  end
end

local function answer_again(stream, result, from)
  local stored = call('HGETALL', result)
  if #stored > 0 then
    append(stream, unpack(stored))
  else
    append(stream, 'id', ARGV[from + 1], 'status', 'error', 'model', ARGV[from + 5], 'version', ARGV[from + 7],
      'error', 'already_answered', 'message', 'This id was answered before and the result was not kept.')
  end
end

local last = #KEYS
while k <= last do
  local marker, result = KEYS[k], KEYS[k + 1]
  local mark, keep, streams, parked, fields = ARGV[a], ARGV[a + 2], tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4]), ARGV[a + 5]
  local from = a + 6
  local to = from + fields - 1
  local stream = KEYS[k + 2]
  if call('SET', marker, mark, 'NX', 'EX', ARGV[a + 1]) then
    won = won + 1
    if keep ~= '0' then
      call('HSET', result, unpack(ARGV, from, to))
      call('EXPIRE', result, keep)
    end
    if streams == 1 then
      append(stream, unpack(ARGV, from, to))
    end
  else
    local served = call('GET', marker)
    local token, entry = string.match(mark, '^([^\n]*)\n(.*)$')
    if token == '' or string.sub(served, 1, #token + 1) ~= token .. '\n' then
      unpark(k + 2 + streams, parked)
    end
    if string.find(served, '\n' .. entry, 1, true) then
      replayed = replayed + 1
    else
      retried = retried + 1
      call('APPEND', marker, entry)
      if streams == 1 then
        answer_again(stream, result, from)
      end
    end
  end
  k = k + 2 + streams + parked
  a = to + 1
end
return {won, replayed, retried, refused}
