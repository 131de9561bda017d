package dev.caravan;

import dev.caravan.Configuration.DatabaseLogin;
import dev.caravan.address.AllowedHosts;
import dev.caravan.database.Database;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.imports.Imports;
import dev.caravan.imports.SftpImport;
import dev.caravan.job.camel.Schedule;
import dev.caravan.secret.Secrets;
import dev.caravan.setup.Connections;
import dev.caravan.setup.HostWaits;
import dev.caravan.setup.Pools;
import dev.caravan.setup.ProjectRules;
import dev.caravan.setup.Projects;
import dev.caravan.setup.SftpOverrides;
import dev.caravan.setup.StoredConnection;
import dev.caravan.setup.StoredProject;
import dev.caravan.setup.jdbc.ConnectionTable;
import dev.caravan.setup.jdbc.ProjectTable;
import dev.caravan.web.ConnectionsApi;
import dev.caravan.web.ProjectsApi;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.support.DefaultRegistry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Connections and projects that tenants set up by the API, beside those of the operator. */
final class TenantSetup {

  private static final Logger LOG = LoggerFactory.getLogger(TenantSetup.class);

  private final AllowedHosts hosts;
  private final Pools pools;
  private final Projects projects;
  private final SftpOverrides overrides;

  /** Of 48 threads that work for callers; see {@link dev.caravan.web.WebServer}. */
  private final HostWaits waits = new HostWaits(4, 16, Duration.ofSeconds(20));

  /**
   * Prepares it and the calls to it.
   *
   * @param api answers with it
   * @param ofFiles the operator's projects
   * @param imports what runs; asked by calls only
   */
  TenantSetup(
      Configuration configuration,
      CamelContext context,
      Started started,
      Databases databases,
      RestApi api,
      List<StoredProject> ofFiles,
      Supplier<Imports> imports)
      throws SQLException {
    Secrets secrets = secrets(configuration);
    ConnectionTable table = new ConnectionTable(databases.api(), api.reads(), secrets);
    warnOfMissingKeys(table);
    pools =
        started.push(
            new Pools(
                table,
                configuration.allowedHosts(),
                configuration.maxConnections(),
                configuration.jobs().timeout().plusMinutes(1), // no statement is longer
                databases::named));
    ((DefaultRegistry) context.getRegistry()).addBeanRepository(new ConnectionBeans(pools));
    hosts = new AllowedHosts(configuration.allowedHosts());
    Connections connections =
        new Connections(table, ofSettings(configuration, databases.login()), hosts, secrets);
    ProjectRules rules =
        new ProjectRules(
            hosts,
            secrets.canEncrypt(),
            configuration.knownHosts().isPresent(),
            project ->
                project
                    .schedule()
                    .cron()
                    .ifPresent(cron -> Schedule.check(project.project(), cron)));
    projects =
        new Projects(
            new ProjectTable(databases.api(), api.reads(), secrets), ofFiles, connections, rules);
    overrides = new SftpOverrides(rules, secrets);
    api.answering(
        new ConnectionsApi(connections, pools, waits),
        new ProjectsApi(projects, running(imports), waits));
  }

  /**
   * Told at the start, not at night. What needs the secrets is broken until its key is back, and
   * everything else works.
   */
  private static void warnOfMissingKeys(ConnectionTable table) throws SQLException {
    for (String problem : table.unreadable()) {
      LOG.error("{} {}", FailureCode.SECRET_UNREADABLE, problem);
    }
  }

  /** With the embedded database there is a key of this installation's own. */
  private static Secrets secrets(Configuration configuration) {
    if (configuration.secretsKey().isPresent()) {
      return configuration.secretsKey().get();
    }
    if (configuration.database().isPresent()) {
      return Secrets.none();
    }
    try {
      return Secrets.of(
          EmbeddedFolder.secret(configuration.data().resolve("secrets.key"), Secrets::newKey));
    } catch (IOException e) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID, "Cannot read or make the key of secrets: " + e, e);
    }
  }

  private static List<StoredConnection> ofSettings(
      Configuration configuration, DatabaseLogin mainLogin) {
    Instant now = Instant.now();
    List<StoredConnection> all = new ArrayList<>();
    Map<String, DatabaseLogin> logins = new TreeMap<>(configuration.connections());
    logins.put(Configuration.MAIN_CONNECTION, mainLogin);
    logins.forEach(
        (name, login) ->
            all.add(
                new StoredConnection(
                    Connections.idOf(name),
                    Connections.OPERATOR,
                    name,
                    "Of the settings",
                    null,
                    Database.shown(name, login.url()),
                    false,
                    0,
                    now,
                    now,
                    true)));
    return all;
  }

  private static ProjectsApi.Running running(Supplier<Imports> imports) {
    return new ProjectsApi.Running() {
      @Override
      public void changed() {
        imports.get().changed();
      }

      @Override
      public Optional<String> problem(String key) {
        return imports.get().problem(key);
      }

      @Override
      public Optional<String> preview(String tenant, String name) throws SQLException {
        return imports.get().find(tenant, name).map(SftpImport::preview);
      }

      @Override
      public Optional<String> plan(String tenant, String name) throws SQLException {
        return imports.get().find(tenant, name).map(SftpImport::plan);
      }
    };
  }

  /** Where servers may be that tenants name. */
  AllowedHosts hosts() {
    return hosts;
  }

  /** The databases of tenants. */
  Pools pools() {
    return pools;
  }

  /** The projects of all tenants. */
  Projects projects() {
    return projects;
  }

  /** The share of calls that wait for what tenants name. */
  HostWaits waits() {
    return waits;
  }

  /** Servers that single imports name. */
  SftpOverrides overrides() {
    return overrides;
  }
}
