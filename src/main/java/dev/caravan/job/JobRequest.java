package dev.caravan.job;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/** What is to be launched. Only kind, project and route must be said. */
public final class JobRequest {

  /** A file of a source, in the state in which it was seen; it has one job at a time. */
  public record SourceFile(String name, long size, Instant modifiedAt) {}

  /** The caller's word for a trigger, and the hash, in hex, of all that it asked for. */
  public record IdempotencyKey(String key, String requestSha256) {}

  /** The tenant of what nobody else asked for. */
  public static final String OPERATOR = "default";

  private final String kind;
  private final String project;
  private final String route;
  private String tenant = OPERATOR;
  private String queue = "default";
  private int priority;
  private String parameters = "{}";
  private String connection;
  private String target;
  private String single;
  private IfRunning ifRunning = IfRunning.QUEUE;
  private SourceFile source;
  private UUID retryOf;
  private String callbackUrl;
  private int maxAttempts = 1;
  private Duration timeout;
  private Duration startWithin;
  private IdempotencyKey idempotencyKey;

  /**
   * Begins a request.
   *
   * @param kind of the work, for people and statistics
   * @param project whose job it is
   * @param route id of the route {@code direct:<route>} that does the work
   */
  public JobRequest(String kind, String project, String route) {
    this.kind = kind;
    this.project = project;
    this.route = route;
  }

  /** Whose share of the queue the job uses. */
  public JobRequest tenant(String name) {
    tenant = name;
    return this;
  }

  /** The queue that it waits in, and the higher priority first within one tenant. */
  public JobRequest queue(String name, int withPriority) {
    queue = name;
    priority = withPriority;
    return this;
  }

  /** JSON object that the route finds as its body. */
  public JobRequest parameters(String json) {
    parameters = json;
    return this;
  }

  /** The database that its loads go to. */
  public JobRequest connection(String name) {
    connection = name;
    return this;
  }

  /** Only one job at a time is admitted for it: {@code connection/schema.table}. */
  public JobRequest target(String name) {
    target = name;
    return this;
  }

  /**
   * What is done when a job with the same word is queued or running. Without a target, one of them
   * at a time is admitted.
   */
  public JobRequest single(String word, IfRunning what) {
    single = word;
    ifRunning = what;
    return this;
  }

  /** The file that the job stands for. */
  public JobRequest source(SourceFile file) {
    source = file;
    return this;
  }

  /** The job whose work is done again. */
  public JobRequest retryOf(UUID job) {
    retryOf = job;
    return this;
  }

  /** Where the end is told; checked by the caller. */
  public JobRequest callbackUrl(String url) {
    callbackUrl = url;
    return this;
  }

  /** How often it is tried, at least 1, and how long one attempt may take. */
  public JobRequest attempts(int max, Duration limit) {
    maxAttempts = max;
    timeout = limit;
    return this;
  }

  /** When no node has begun by then, the job expires. */
  public JobRequest startWithin(Duration limit) {
    startWithin = limit;
    return this;
  }

  /** A second request with the same key is the same job. */
  public JobRequest idempotencyKey(IdempotencyKey key) {
    idempotencyKey = key;
    return this;
  }

  public String kind() {
    return kind;
  }

  public String project() {
    return project;
  }

  public String route() {
    return route;
  }

  public String tenant() {
    return tenant;
  }

  public String queue() {
    return queue;
  }

  public int priority() {
    return priority;
  }

  public String parameters() {
    return parameters;
  }

  public Optional<String> connection() {
    return Optional.ofNullable(connection);
  }

  /** What only one job at a time is admitted for: the target, without one the single word. */
  public Optional<String> target() {
    return Optional.ofNullable(target).or(this::single);
  }

  public Optional<String> single() {
    return Optional.ofNullable(single);
  }

  public IfRunning ifRunning() {
    return ifRunning;
  }

  public Optional<SourceFile> source() {
    return Optional.ofNullable(source);
  }

  public Optional<UUID> retryOf() {
    return Optional.ofNullable(retryOf);
  }

  public Optional<String> callbackUrl() {
    return Optional.ofNullable(callbackUrl);
  }

  public int maxAttempts() {
    return maxAttempts;
  }

  public Optional<Duration> timeout() {
    return Optional.ofNullable(timeout);
  }

  public Optional<Duration> startWithin() {
    return Optional.ofNullable(startWithin);
  }

  public Optional<IdempotencyKey> idempotencyKey() {
    return Optional.ofNullable(idempotencyKey);
  }
}
