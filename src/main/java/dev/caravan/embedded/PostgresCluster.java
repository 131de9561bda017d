package dev.caravan.embedded;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.HexFormat;

/**
 * The files of the database: PostgreSQL's data directory, with the password of the one role that
 * may log in.
 */
final class PostgresCluster {

  /** The role, and the database that it owns. */
  static final String NAME = "caravan";

  /** The major version of postgres-binaries.version in pom.xml. */
  private static final String VERSION = "18";

  private static final String PASSWORD_FILE = "caravan.password";

  private final Path directory;

  PostgresCluster(Path directory) {
    this.directory = directory;
  }

  /**
   * @throws CaravanException CONFIG_INVALID when the files are another PostgreSQL's
   */
  void requireOurVersion() throws IOException {
    Path file = directory.resolve("PG_VERSION");
    String version = Files.exists(file) ? Files.readString(file).strip() : VERSION;
    if (!version.equals(VERSION)) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "%s was made by PostgreSQL %s; this Caravan embeds PostgreSQL %s, which cannot read it. "
                  .formatted(directory, version, VERSION)
              + "Start the Caravan that made it and save its data with pg_dump, move the directory "
              + "away, start this one and restore the dump.");
    }
  }

  /**
   * Makes the cluster unless it is there. It is made aside and moved into place when complete, so
   * that a kill leaves no half of one.
   */
  void createIfMissing(PostgresPrograms programs) throws IOException {
    if (Files.exists(directory)) {
      return;
    }
    Path unfinished = directory.resolveSibling(directory.getFileName() + ".unfinished");
    DataDirectory.delete(unfinished);
    // C.UTF-8 is built in: the system's locales differ from host to host, and when an update
    // changes one, indexes break.
    programs.run(
        "create a database in " + directory,
        "",
        "initdb",
        "--pgdata=" + unfinished,
        "--username=postgres",
        "--auth=reject",
        "--encoding=UTF8",
        "--no-locale",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8");
    createLogin(unfinished, programs);
    Files.move(unfinished, directory, StandardCopyOption.ATOMIC_MOVE);
  }

  /**
   * In single-user mode: the superuser never gets a way to log in.
   *
   * <p>The search path would begin with the schema that has the role's name, and Caravan's own is
   * called so: a user's CREATE TABLE without a schema would land among its tables.
   *
   * <p>The second role is the one that the REST API reads as; ours may not make roles itself.
   */
  private static void createLogin(Path cluster, PostgresPrograms programs) throws IOException {
    String password = randomPassword();
    programs.run(
        "create the database role " + NAME,
        """
        CREATE ROLE %1$s LOGIN PASSWORD '%2$s'
        CREATE DATABASE %1$s OWNER %1$s
        ALTER ROLE %1$s SET search_path = public
        CREATE ROLE caravan_reader NOLOGIN
        GRANT caravan_reader TO %1$s
        """
            .formatted(NAME, password),
        "postgres",
        "--single",
        "-c",
        "exit_on_error=true",
        "-D",
        cluster.toString(),
        "postgres");
    DataDirectory.createPrivateFile(cluster.resolve(PASSWORD_FILE));
    write(cluster.resolve(PASSWORD_FILE), password + "\n");
    write(
        cluster.resolve("pg_hba.conf"),
        "# The only way in. The superuser has none.\n"
            + "host %1$s %1$s 127.0.0.1/32 scram-sha-256\n".formatted(NAME));
  }

  private static String randomPassword() {
    byte[] bytes = new byte[16];
    new SecureRandom().nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  private static void write(Path file, String content) throws IOException {
    Files.writeString(
        file,
        content,
        StandardOpenOption.CREATE,
        StandardOpenOption.TRUNCATE_EXISTING,
        StandardOpenOption.WRITE,
        StandardOpenOption.SYNC);
  }

  /** What the role {@link #NAME} logs in with. */
  String password() throws IOException {
    return Files.readString(directory.resolve(PASSWORD_FILE)).strip();
  }
}
