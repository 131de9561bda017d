package dev.caravan.imports;

import dev.caravan.project.ProjectConfig;
import java.lang.ref.WeakReference;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Whether a file is one of a project's. The rules are read when a folder shows a file, and kept
 * until memory is cleaned up: those of thousands of projects whose folders are empty cost nothing.
 */
final class CoveredNames implements Predicate<String> {

  private final Supplier<ProjectConfig> rules;
  private volatile WeakReference<ProjectConfig> read = new WeakReference<>(null);

  /** By the rules of one version of a project, whenever they are read. */
  CoveredNames(Supplier<ProjectConfig> rules) {
    this.rules = rules;
  }

  @Override
  public boolean test(String name) {
    ProjectConfig project = read.get();
    if (project == null) {
      project = rules.get();
      read = new WeakReference<>(project);
    }
    return project.covers(name);
  }
}
