// What every module draws with: preact with htm's templates, and preact's hooks. Text is always
// put in as text; nothing here or elsewhere makes HTML out of strings.
import { h } from "preact";
import htm from "htm";

export { Component, Fragment, createContext, render } from "preact";
export {
    useCallback, useContext, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState,
} from "preact/hooks";

export const html = htm.bind(h);
