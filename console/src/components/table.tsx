// A table whose head is one row of column names.
import type { ComponentChildren } from "preact";

/** A column: its name, with `numbers` if its cells are numbers, with `actions` if the name is for screen readers only. */
export type Column = string | { numbers: string } | { actions: string };

/** The column of a table's buttons. */
export const ACTIONS: Column = { actions: "Actions" };

interface TableProps {
  class?: string;
  caption?: string;
  columns: Column[];
  children: ComponentChildren;
}

/** `children` are the rows of the body; screen readers read the caption. */
export function Table({ class: name, caption, columns, children }: TableProps) {
  return (
    <table class={name}>
      {caption === undefined ? null : <caption class="visually-hidden">{caption}</caption>}
      <thead>
        <tr>{columns.map(head)}</tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}

function head(column: Column) {
  if (typeof column === "string") {
    return (
      <th key={column} scope="col">
        {column}
      </th>
    );
  }
  return "numbers" in column ? (
    <th key={column.numbers} scope="col" class="number">
      {column.numbers}
    </th>
  ) : (
    <th key={column.actions} scope="col">
      <span class="visually-hidden">{column.actions}</span>
    </th>
  );
}
