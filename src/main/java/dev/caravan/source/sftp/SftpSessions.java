package dev.caravan.source.sftp;

import dev.caravan.failure.CaravanException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.apache.camel.CamelContext;
import org.apache.camel.component.file.remote.RemoteFileOperations;
import org.apache.camel.component.file.remote.SftpComponent;
import org.apache.camel.component.file.remote.SftpConfiguration;
import org.apache.camel.component.file.remote.SftpEndpoint;
import org.apache.camel.component.file.remote.SftpRemoteFile;
import org.apache.commons.pool2.BaseKeyedPooledObjectFactory;
import org.apache.commons.pool2.PooledObject;
import org.apache.commons.pool2.impl.DefaultPooledObject;
import org.apache.commons.pool2.impl.GenericKeyedObjectPool;
import org.apache.commons.pool2.impl.GenericKeyedObjectPoolConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sessions on SFTP servers, of all projects. One that is free is kept open for a while, so that
 * what follows soon does not log in again. Each has buffers of half a megabyte: few are kept.
 */
public final class SftpSessions implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(SftpSessions.class);
  private static final Duration KEEP_OPEN = Duration.ofMinutes(1);

  /** For a connection with its login. */
  private static final Duration LONGEST_LOGIN = Duration.ofSeconds(30);

  /** A server that is slow but well may be silent several times while it answers. */
  private static final int SILENCES = 4;

  private static final int MAX_IDLE = 24;
  private static final int CONNECT_MILLIS = 10_000;

  /** Requests under way at once: took half the time of JSch's 16 on a fast network. */
  private static final int BULK_REQUESTS = 64;

  private final CamelContext context;
  private final int silenceMillis;
  private final Duration longest;
  private final Deadlines deadlines = new Deadlines();
  private final GenericKeyedObjectPool<SftpLogin, RemoteFileOperations<SftpRemoteFile<?>>> sessions;

  /**
   * None is open.
   *
   * @param silence how long a server may say nothing while it is waited for; a listing, a look at a
   *     file or a move takes four times as long at the most, whatever the server says
   */
  public SftpSessions(CamelContext context, Duration silence) {
    this.context = context;
    this.silenceMillis = (int) silence.toMillis();
    this.longest = silence.multipliedBy(SILENCES);
    GenericKeyedObjectPoolConfig<RemoteFileOperations<SftpRemoteFile<?>>> config =
        new GenericKeyedObjectPoolConfig<>();
    config.setMaxTotal(-1); // the queue and the polls say how much there is at once
    config.setMaxTotalPerKey(-1);
    config.setMaxIdlePerKey(MAX_IDLE);
    config.setTestOnBorrow(true);
    config.setMinEvictableIdleDuration(KEEP_OPEN);
    config.setTimeBetweenEvictionRuns(KEEP_OPEN.dividedBy(2));
    config.setNumTestsPerEvictionRun(-1); // all of them
    config.setJmxEnabled(false);
    sessions = new GenericKeyedObjectPool<>(new Sessions(), config);
  }

  private final class Sessions
      extends BaseKeyedPooledObjectFactory<SftpLogin, RemoteFileOperations<SftpRemoteFile<?>>> {

    @Override
    @SuppressWarnings("unchecked")
    public RemoteFileOperations<SftpRemoteFile<?>> create(SftpLogin login) {
      SftpEndpoint server = endpoint(login);
      FolderOperations session = new FolderOperations(new ServerConnection(login.hosts()));
      session.setEndpoint(server);
      deadlines.within(
          longest.compareTo(LONGEST_LOGIN) < 0 ? longest : LONGEST_LOGIN,
          "Cannot connect to " + login,
          session::cut,
          () -> session.connect(server.getConfiguration(), null));
      return (RemoteFileOperations<SftpRemoteFile<?>>) (RemoteFileOperations<?>) session;
    }

    @Override
    public PooledObject<RemoteFileOperations<SftpRemoteFile<?>>> wrap(
        RemoteFileOperations<SftpRemoteFile<?>> session) {
      return new DefaultPooledObject<>(session);
    }

    @Override
    public boolean validateObject(
        SftpLogin login, PooledObject<RemoteFileOperations<SftpRemoteFile<?>>> session) {
      return session.getObject().isConnected();
    }

    @Override
    public void destroyObject(
        SftpLogin login, PooledObject<RemoteFileOperations<SftpRemoteFile<?>>> session) {
      session.getObject().forceDisconnect();
    }
  }

  /** What Camel's operations ask about; every value is set as it is, and none is read as a text. */
  private SftpEndpoint endpoint(SftpLogin login) {
    SftpConfiguration server = new SftpConfiguration();
    server.setProtocol("sftp");
    server.setHost(login.host());
    server.setPort(login.port());
    server.setUsername(login.username());
    login.password().ifPresent(server::setPassword);
    login.keyFile().ifPresent(file -> server.setPrivateKeyFile(file.toString()));
    login.keyPassphrase().ifPresent(server::setPrivateKeyPassphrase);
    server.setPreferredAuthentications(login.keyFile().isPresent() ? "publickey" : "password");
    // the host key is checked against the login's own known hosts, and only these
    server.setKnownHosts(login.knownHosts().getBytes(StandardCharsets.UTF_8));
    server.setStrictHostKeyChecking("yes");
    server.setUseUserKnownHostsFile(false);
    server.setAutoCreateKnownHostsFile(false);
    server.setStreamDownload(true);
    server.setBulkRequests(BULK_REQUESTS);
    server.setStepwise(false);
    // one try to connect, stalls end
    server.setThrowExceptionOnConnectFailed(true);
    server.setConnectTimeout(CONNECT_MILLIS);
    server.setSoTimeout(silenceMillis);
    // no keep-alive: its answer would pass for progress, and a read that stalls would never end
    server.setServerAliveCountMax(0);
    SftpEndpoint endpoint =
        new SftpEndpoint("sftp:session", context.getComponent("sftp", SftpComponent.class), server);
    endpoint.setFastExistsCheck(true);
    endpoint.setMaximumReconnectAttempts(0);
    return endpoint;
  }

  CamelContext context() {
    return context;
  }

  /** A session that nobody else uses; to be given back or given up. */
  RemoteFileOperations<SftpRemoteFile<?>> borrow(SftpLogin login) {
    try {
      return sessions.borrowObject(login);
    } catch (Exception e) {
      throw SftpFailure.of("Cannot connect to " + login, e);
    }
  }

  /**
   * Does the work with a session, which is free or given up afterwards.
   *
   * @param what is done, for failures: "Cannot list …"
   * @throws CaravanException SOURCE_UNAVAILABLE when the server takes too long with it
   */
  <T> T inSession(SftpLogin login, String what, SftpSource.SessionWork<T> work) {
    RemoteFileOperations<SftpRemoteFile<?>> session = borrow(login);
    try {
      T result =
          deadlines.within(
              longest,
              what,
              ((FolderOperations) (RemoteFileOperations<?>) session)::cut,
              () -> work.with(session));
      giveBack(login, session);
      return result;
    } catch (RuntimeException e) {
      giveUp(login, session);
      throw SftpFailure.of(what, e);
    }
  }

  /** The session is free and in order. */
  void giveBack(SftpLogin login, RemoteFileOperations<SftpRemoteFile<?>> session) {
    if (sessions.getNumIdle() < MAX_IDLE) {
      sessions.returnObject(login, session);
    } else {
      giveUp(login, session);
    }
  }

  /** The session is not to be used again. */
  void giveUp(SftpLogin login, RemoteFileOperations<SftpRemoteFile<?>> session) {
    try {
      sessions.invalidateObject(login, session);
    } catch (Exception e) {
      // It is given up. What failed is a new session in its place, for which whoever asks next is
      // told; the caller is about to tell something else.
      LOG.debug("No session in the place of one that broke: {}", e.toString());
    }
  }

  @Override
  public void close() {
    sessions.close();
    deadlines.close();
  }
}
