package dev.caravan.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The arrows of docs/architecture.md. Plain tests: ArchUnit's own runner can run none and be green.
 */
class ArchitectureTest {

  private static final JavaClasses CARAVAN =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("dev.caravan");

  /** A package and everything that it may import beside java and itself. */
  private record Arrow(String name, List<String> mayImport) {
    Arrow(String name, String... mayImport) {
      this(name, List.of(mayImport));
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private static final String LOG = "org.slf4j..";
  private static final String CAMEL = "org.apache.camel..";
  private static final String FAILURE = "dev.caravan.failure..";

  static List<Arrow> arrows() {
    return List.of(
        new Arrow("failure"),
        new Arrow("record", FAILURE, "com.fasterxml.jackson.."),
        new Arrow(
            "pgload", FAILURE, "dev.caravan.record..", "org.postgresql..", "de.siegmar.fastcsv.."),
        new Arrow("copyupsert", FAILURE, "dev.caravan.record..", "dev.caravan.pgload..", CAMEL),
        new Arrow(
            "job",
            FAILURE,
            "dev.caravan.copyupsert..",
            "dev.caravan.database..",
            "dev.caravan.pgload..",
            "com.github.kagkarlsson..",
            "org.quartz..",
            CAMEL,
            LOG),
        new Arrow(
            "source",
            FAILURE,
            "dev.caravan.address..",
            "dev.caravan.record..",
            CAMEL,
            "com.jcraft.jsch..",
            "org.apache.commons.pool2..",
            "com.fasterxml.jackson..",
            "com.networknt..",
            "com.nimbusds..",
            "org.apache.hc..",
            "io.github.resilience4j..",
            LOG),
        new Arrow(
            "provider",
            FAILURE,
            "dev.caravan.project..",
            "dev.caravan.source.http..",
            "com.fasterxml.jackson..",
            CAMEL),
        new Arrow(
            "sync",
            FAILURE,
            "dev.caravan.copyupsert..",
            "dev.caravan.database..",
            "dev.caravan.job..",
            "com.fasterxml.jackson..",
            CAMEL,
            LOG),
        new Arrow(
            "project",
            FAILURE,
            "dev.caravan.record..",
            "com.fasterxml.jackson..",
            "com.networknt..",
            "org.yaml.."),
        new Arrow(
            "database", FAILURE, "com.zaxxer.hikari..", "org.flywaydb..", "org.postgresql..", LOG),
        new Arrow(
            "outbox",
            FAILURE,
            "com.github.kagkarlsson.scheduler..",
            "dev.caravan.address..",
            "com.fasterxml.jackson..",
            "org.apache.hc..",
            "com.standardwebhooks..",
            LOG),
        new Arrow(
            "access",
            FAILURE,
            "dev.caravan.database..",
            "com.nimbusds..",
            "com.github.benmanes.caffeine..",
            LOG),
        new Arrow("address"),
        new Arrow("secret", FAILURE, "com.google.crypto.tink..", "com.google.errorprone.."),
        new Arrow(
            "setup",
            FAILURE,
            "dev.caravan.address..",
            "dev.caravan.secret..",
            "dev.caravan.database..",
            "dev.caravan.project..",
            "com.zaxxer.hikari..",
            "org.postgresql..",
            "com.fasterxml.jackson..",
            LOG),
        new Arrow(
            "cli",
            FAILURE,
            "dev.caravan.project..",
            "dev.caravan.record..",
            "com.fasterxml.jackson..",
            "picocli.."),
        new Arrow("upload", FAILURE, "dev.caravan.database.."),
        new Arrow(
            "web",
            FAILURE,
            "dev.caravan.imports..",
            "dev.caravan.outbox..",
            "dev.caravan.access..",
            "dev.caravan.setup..",
            "dev.caravan.upload..",
            "dev.caravan.job..",
            "dev.caravan.pgload..",
            "dev.caravan.sync..",
            "com.fasterxml.jackson..",
            "com.networknt..",
            "io.vertx..",
            "io.netty..",
            CAMEL,
            LOG),
        new Arrow(
            "inspection",
            "dev.caravan.job..",
            "dev.caravan.outbox..",
            "dev.caravan.failure..",
            "io.micrometer..",
            "org.jolokia..",
            "io.vertx..",
            CAMEL,
            LOG),
        new Arrow(
            "embedded",
            FAILURE,
            "io.zonky.test..",
            "org.apache.sshd..",
            "org.apache.commons.compress..",
            "org.tukaani.xz..",
            "org.postgresql..",
            LOG));
  }

  @ParameterizedTest
  @MethodSource("arrows")
  void importsOnlyWhatItMayKnow(Arrow arrow) {
    rule(arrow).check(CARAVAN);
  }

  private static ArchRule rule(Arrow arrow) {
    List<String> allowed = new ArrayList<>(arrow.mayImport());
    allowed.add("java..");
    allowed.add("javax..");
    allowed.add("dev.caravan." + arrow.name() + "..");
    return classes()
        .that()
        .resideInAPackage("dev.caravan." + arrow.name() + "..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(allowed.toArray(String[]::new))
        .because(
            "package-info of dev.caravan."
                + arrow.name()
                + " says what it may know; move the class, or pass in what it needs");
  }

  @Test
  void aJobOutsideItsObserverKnowsNoCamelAndNoLoad() {
    noClasses()
        .that()
        .resideInAnyPackage("dev.caravan.job", "dev.caravan.job.jdbc", "dev.caravan.job.queue")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(CAMEL, "dev.caravan.copyupsert..", "dev.caravan.pgload..")
        .because("job.camel observes; what it observes goes to job as a JobLoad")
        .check(CARAVAN);
  }

  @Test
  void theOutboxKnowsNoEffect() {
    noClasses()
        .that()
        .resideInAPackage("dev.caravan.outbox")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "dev.caravan.outbox.webhook..", "org.apache.hc..", "com.fasterxml.jackson..")
        .because("each kind of effect is a handler of its own")
        .check(CARAVAN);
  }

  @Test
  void onlyJsonRecordsKnowJackson() {
    noClasses()
        .that()
        .resideInAnyPackage(
            "dev.caravan.record", "dev.caravan.record.csv", "dev.caravan.record.mapping")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("com.fasterxml.jackson..")
        .because("a record is bytes; record.json turns JSON into them")
        .check(CARAVAN);
  }

  @Test
  void packagesFormNoCycle() {
    slices().matching("dev.caravan.(*)..").should().beFreeOfCycles().check(CARAVAN);
  }

  @Test
  void sqlStandsOnlyWhereTheDatabaseIsKnown() {
    noClasses()
        .that()
        .resideOutsideOfPackages(
            "dev.caravan.pgload..",
            "dev.caravan.job.jdbc..",
            "dev.caravan.access.jdbc..",
            "dev.caravan.setup.jdbc..",
            "dev.caravan.upload..",
            "dev.caravan.sync.jdbc..",
            "dev.caravan.database..",
            "dev.caravan.outbox..",
            "dev.caravan.embedded..")
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.sql.Statement")
        .orShould()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.sql.PreparedStatement")
        .because(
            "SQL belongs to pgload (loads), job.jdbc (jobs) and access.jdbc (keys), setup.jdbc; add a method there")
        .check(CARAVAN);
  }

  /** What a route does is in its file, and never in what comes through it. */
  @Test
  void noRouteGoesWhereAMessageSaysOrRunsWhatItHolds() throws IOException {
    Pattern dynamic =
        Pattern.compile(
            "\\b(toD|recipientList|routingSlip|dynamicRouter|enrich|pollEnrich|wireTap|groovy|ognl"
                + "|mvel|spel|joor|python|xpath|exec|script|language):");
    try (Stream<Path> files = Files.walk(Path.of("routes"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertThat(Files.readString(file)).as(file.toString()).doesNotContainPattern(dynamic);
      }
    }
  }

  @Test
  void everyPackageSaysWhatItIsFor() {
    List<String> without =
        CARAVAN.stream()
            .map(c -> c.getPackageName())
            .distinct()
            .filter(
                name ->
                    !Files.exists(
                        Path.of("src/main/java", name.replace('.', '/'), "package-info.java")))
            .toList();
    assertThat(without).isEmpty();
  }

  @Test
  void aBrokenRuleIsRed() {
    JavaClasses withTest = new ClassFileImporter().importPackages("dev.caravan.architecture");
    ArchRule rule =
        classes()
            .that()
            .resideInAPackage("dev.caravan.architecture")
            .should()
            .onlyDependOnClassesThat()
            .resideInAPackage("java..");
    assertThatThrownBy(() -> rule.check(withTest)).isInstanceOf(AssertionError.class);
  }
}
