package dev.caravan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.Retry;
import dev.caravan.job.jdbc.JobQueue;
import dev.caravan.testing.FreePort;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.camel.component.properties.PropertiesComponent;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigurationTest {

  @TempDir Path folder;

  private static Configuration read(Map<String, String> settings) {
    DefaultCamelContext context = new DefaultCamelContext();
    PropertiesComponent properties = new PropertiesComponent();
    properties.setLocation("file:application.properties");
    Properties overrides = new Properties();
    overrides.putAll(settings);
    properties.setOverrideProperties(overrides);
    context.setPropertiesComponent(properties);
    context.build();
    return Configuration.read(properties);
  }

  private static String problems(Map<String, String> settings) {
    try {
      read(settings);
    } catch (CaravanException e) {
      assertThat(e.code()).isEqualTo(FailureCode.CONFIG_INVALID);
      return e.getMessage();
    }
    throw new AssertionError("nothing was refused");
  }

  @Test
  void hasTheseDefaults() {
    Configuration defaults = read(Map.of("caravan.node", "n"));
    assertThat(defaults)
        .isEqualTo(
            new Configuration(
                Path.of("data"),
                "n",
                List.of(Path.of("samples/project.yaml").toAbsolutePath()),
                Optional.empty(),
                10,
                Map.of(),
                Optional.empty(),
                Optional.empty(),
                60,
                0,
                0,
                new Configuration.Http("127.0.0.1", 8420, Set.of()),
                8421,
                Optional.empty(),
                new Retry(4, Duration.ofSeconds(1), Duration.ofSeconds(30)),
                new Configuration.Jobs(
                    List.of(new JobQueue.Limit("default", 4, 4)),
                    20_000,
                    Duration.ofMinutes(30),
                    Duration.ofMinutes(5),
                    Duration.ofSeconds(3),
                    Duration.ofDays(90)),
                new Configuration.Webhooks(Map.of(), List.of(), Set.of()),
                Optional.empty(),
                new Configuration.Uploads(10L << 30, 8),
                List.of(),
                Optional.empty(),
                Optional.empty()));
    assertThat(read(Map.of()).node()).isNotBlank();
  }

  @Test
  void takesNoTokensWithoutIssuerAndAudience() {
    assertThat(problems(Map.of("caravan.jwt.jwks-url", "https://issuer.example/jwks")))
        .contains("caravan.jwt.issuer: missing", "caravan.jwt.audience: missing");
  }

  @Test
  void namesAnOriginThatIsNone() {
    assertThat(problems(Map.of("caravan.http.cors-origins", "https://a.example, *")))
        .contains("caravan.http.cors-origins: found '*'");
    assertThat(
            read(Map.of("caravan.http.cors-origins", "https://a.example,http://b.example:81"))
                .http()
                .corsOrigins())
        .containsExactlyInAnyOrder("https://a.example", "http://b.example:81");
  }

  @Test
  void reportsEverythingThatIsWrongAtOnce() {
    assertThat(
            problems(
                Map.of(
                    "caravan.databse.url", "x",
                    "caravan.database.max-connections", "1",
                    "caravan.http.port", "eighty",
                    "caravan.retry.delay", "-1",
                    "caravan.data", "a\0b",
                    "caravan.projects", "samples/none.yaml,samples/[",
                    "caravan.sftp.url", "ftp://host",
                    "caravan.connections.warehouse.url", "jdbc:postgresql://h/d",
                    "caravan.connections.other.username", "u")))
        .contains(
            "caravan.databse.url: unknown setting; allowed are caravan.connections.allow, caravan.data",
            "caravan.database.max-connections: found '1'; allowed is a whole number from 2 to 1000",
            "caravan.http.port: found 'eighty'",
            "caravan.retry.delay: found '-1'",
            "caravan.data: allowed is a path",
            "caravan.projects: found 'samples/none.yaml', where there is no file",
            "caravan.projects: found 'samples/['",
            "caravan.sftp.url: allowed is sftp://user@host:port",
            "either a password or caravan.sftp.key-path",
            "to know the server",
            "caravan.connections.warehouse.url: that name is taken",
            "caravan.connections.other.url: missing");
  }

  @Test
  void readsAServerAndKeepsItsPasswordToItself() {
    Configuration configuration =
        read(
            Map.of(
                "caravan.sftp.url", "sftp://us%3Aer:p%40ss:w0rd@host:2222",
                "caravan.sftp.host-key", "ssh-ed25519 AAAA",
                "caravan.connections.other.url", "postgresql://u:s3cret@db/x"));
    var server = configuration.sftp().orElseThrow();
    assertThat(server.username()).isEqualTo("us:er");
    assertThat(server.password()).contains("p@ss:w0rd");
    assertThat(server.port()).isEqualTo(2222);
    assertThat(server.toString()).doesNotContain("w0rd");
    assertThat(configuration.hasConnection("other")).isTrue();
    assertThat(configuration.hasConnection("another")).isFalse();
    assertThat(problems(Map.of("caravan.sftp.url", "sftp://u:w0rd@ho st"))).doesNotContain("w0rd");
  }

  @Test
  void readsWhereWebhooksMayGoAndKeepsTheirSecretsToItself() {
    String secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    Configuration.Webhooks webhooks =
        read(Map.of(
                "caravan.webhook.secret",
                secret + ", " + secret,
                "caravan.webhook.secret.acme.eu",
                secret,
                "caravan.webhook.allow",
                "n8n:5678, 10.1.0.0/16",
                "caravan.webhook.ports",
                "8443"))
            .webhooks();
    assertThat(webhooks)
        .isEqualTo(
            new Configuration.Webhooks(
                Map.of("default", List.of(secret, secret), "acme.eu", List.of(secret)),
                List.of("n8n:5678", "10.1.0.0/16"),
                Set.of(8443)));
    assertThat(webhooks.toString()).doesNotContain("MfKQ9r8G");
    assertThat(
            problems(
                Map.of(
                    "caravan.webhook.secret", "whsec_dG9vIHNob3J0",
                    "caravan.webhook.secret.acme", "whsec_dG9vIHNob3J0",
                    "caravan.webhook.allow", "http://n8n",
                    "caravan.webhook.ports", "8080,65536")))
        .contains(
            "caravan.webhook.secret: allowed is whsec_ and base64 of 24 to 64 random bytes",
            "caravan.webhook.secret.acme: allowed is whsec_ and base64 of 24 to 64 random bytes",
            "caravan.webhook.allow: found 'http://n8n'; allowed is a host, host:port",
            "caravan.webhook.ports: found '65536'")
        .doesNotContain("dG9vIHNob3J0");
  }

  private void refusesToStart(Map<String, String> more, String... parts) {
    Map<String, String> settings = new HashMap<>(more);
    settings.putIfAbsent("caravan.http.port", String.valueOf(FreePort.find()));
    settings.putIfAbsent("caravan.management.port", "0");
    settings.put("caravan.data", folder.toString());
    PrintStream out = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
    assertThatThrownBy(() -> new Caravan(settings, out).start())
        .satisfies(
            e -> {
              for (String part : parts) {
                assertThat(e).hasStackTraceContaining(part);
              }
            });
  }

  @Test
  void refusesProjectsThatDoNotFit() throws Exception {
    Path one = folder.resolve("1.yaml");
    Files.writeString(
        one, "project: p\nconnection: elsewhere\ndefaults: {file_pattern: '*', primary_key: id}\n");
    Files.writeString(folder.resolve("2.yaml"), "project: p\nconnection: warehouse\ndefalts: {}\n");
    Files.copy(one, folder.resolve("3.yaml"));
    refusesToStart(
        Map.of("caravan.projects", folder + "/*.yaml"),
        "1.yaml: connection: found 'elsewhere'; allowed are warehouse",
        "2.yaml: defalts: unknown key",
        "3.yaml: project: found 'p', which another file is called");
  }

  @Test
  void refusesAPortThatIsTakenAndADatabaseThatIsNone() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      refusesToStart(
          Map.of("caravan.http.port", String.valueOf(taken.getLocalPort())),
          "caravan.http.port",
          "taken");
      refusesToStart(
          Map.of("caravan.management.port", String.valueOf(taken.getLocalPort())),
          "caravan.management.port",
          "taken");
    }
    refusesToStart(
        Map.of("caravan.database.url", "mysql://u:s3cret@h/d"), "warehouse", "allowed is");
  }

  @Test
  void refusesToTrustEveryCertificate() {
    refusesToStart(
        Map.of("camel.ssl.enabled", "true", "camel.ssl.trustAllCertificates", "true"),
        "camel.ssl.trustAllCertificates: certificates are always verified");
  }

  @Test
  void endsWithExitCode2AndOneMessage() throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            "dev.caravan.Caravan");
    builder.environment().put("CARAVAN_HTTP_PORT", "none");
    builder.environment().put("CARAVAN_DATA", folder.toString());
    Process process = builder.redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isEqualTo(2);
    assertThat(said)
        .contains("CONFIG_INVALID", "caravan.http.port: found 'none'")
        .doesNotContain("\tat ");
  }
}
