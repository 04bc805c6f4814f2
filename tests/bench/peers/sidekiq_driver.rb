# Sidekiq as tests/bench/peers.py measures it: the client, and the job that a `sidekiq` process loads.
#   ruby sidekiq_driver.rb push JOBS THREADS      one job a call, from each of THREADS threads
#   ruby sidekiq_driver.rb bulk JOBS              1,000 jobs a call, one connection
#   JOBS=N sidekiq -c 10 -r ./sidekiq_driver.rb   runs N jobs, from the first start to the last
# REDIS_SOCKET names the Redis. Each prints one line of JSON and counts what it did: a job that is
# missing is an error or a wait without end, never a better figure.
require "json"
require "sidekiq"

redis = { url: "unix://#{ENV.fetch("REDIS_SOCKET")}" }
Sidekiq.configure_client { |config| config.redis = redis.merge(size: 10) }
Sidekiq.configure_server { |config| config.redis = redis }
Sidekiq.logger.level = Logger::WARN

def now
  Process.clock_gettime(Process::CLOCK_MONOTONIC)
end

def report(jobs, seconds)
  puts JSON.generate(jobs_per_s: jobs / seconds, version: Sidekiq::VERSION)
  $stdout.flush
end

class Noop
  include Sidekiq::Worker
  LOCK = Mutex.new
  TOTAL = ENV["JOBS"].to_i
  @started = 0

  class << self
    def count
      LOCK.synchronize do
        @begin = now if @started.zero?
        @started += 1
        return if @started < TOTAL
        report(TOTAL, now - @begin)
        exit!(0)
      end
    end
  end

  def perform(_payload)
    Noop.count
  end
end

if $PROGRAM_NAME == __FILE__
  mode, jobs, threads = ARGV[0], ARGV[1].to_i, ARGV.fetch(2, "1").to_i
  payload = "x" * 96
  Sidekiq.redis(&:ping)
  first = now
  if mode == "push"
    (1..threads).map { Thread.new { (jobs / threads).times { Noop.perform_async(payload) } } }.each(&:join)
  else
    (jobs / 1000).times { Sidekiq::Client.push_bulk("class" => Noop, "args" => [[payload]] * 1000) }
  end
  took = now - first
  waiting = Sidekiq.redis { |link| link.llen("queue:default") }
  abort "#{waiting} jobs wait in Redis, not #{jobs}" if waiting != jobs
  report(jobs, took)
end
