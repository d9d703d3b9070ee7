import type { factors as english } from './factors-en.ts';

export const factors: typeof english = {
  factorTitle: 'Noch ein Schritt',
  factorMeans: 'Um als {person} fortzufahren, zeigen Sie mit einem zweiten Faktor, dass Sie es sind.',
  factorUsePasskey: 'Passkey verwenden',
  factorCode: 'Die sechs Ziffern, die Ihre Authenticator-App anzeigt',
  factorUseRecovery: 'Wiederherstellungscode verwenden',
  factorRecoveryCode: 'Einer der Wiederherstellungscodes, die Sie aufbewahrt haben',
  factorLost: 'Haben Sie nichts davon zur Hand? Ihre Administration kann Ihre zweiten Faktoren zurücksetzen.',
  factorWrong: 'Dieser Code stimmt nicht. Sehen Sie noch einmal nach, oder warten Sie auf den nächsten.',
  factorUsed: 'Dieser Code wurde schon verwendet. Warten Sie auf den nächsten.',
  factorRecoveryWrong:
    'Dieser Code stimmt nicht oder wurde schon verwendet. Sehen Sie noch einmal nach, oder nehmen Sie einen anderen.',
  factorLocked:
    'Es gab zu viele falsche Codes. Warten Sie mindestens eine Viertelstunde, oder verwenden Sie etwas anderes.',
  factorPasskeyStopped:
    'Der Passkey wurde nicht angenommen. Versuchen Sie es erneut, oder verwenden Sie etwas anderes.',
  factorNeeded: 'Ein zweiter Faktor ist nötig',
  factorNeededMeans:
    'Ihre Organisation oder die Anwendung verlangt mehr als einen Nachweis, dass Sie es sind. Wählen Sie, was Sie einrichten.',
  factorEnrolTotp: 'Authenticator-App einrichten',
  factorEnrolPasskey: 'Passkey einrichten',
  factorTotpMeans:
    'Scannen Sie dieses Bild mit einer Authenticator-App, und geben Sie dann die sechs Ziffern ein, die sie anzeigt.',
  factorPicture: 'Ein Bild, das Authenticator-Apps lesen',
  factorSecret: 'Oder geben Sie dort diesen Schlüssel ein:',
  factorPasskeyMeans:
    'Ihr Gerät bewahrt den Passkey auf und fragt bei jeder Verwendung nach Finger, Gesicht oder Gerätecode.',
  factorName: 'Wie Sie dieses Gerät nennen, wenn Sie mögen',
  factorNeedsScript:
    'Dieser Browser kennt keine Passkeys, oder seine Skripte sind ausgeschaltet. Verwenden Sie einen anderen Browser oder ein anderes Gerät.',
  factorRecoveryTitle: 'Bewahren Sie diese Wiederherstellungscodes auf',
  factorRecoveryMeans:
    'Wenn Sie Ihren zweiten Faktor verlieren, lässt Sie jeder davon einmal hinein. Sie werden nicht noch einmal angezeigt.',
  factorRecoveryKept: 'Ich habe sie aufbewahrt',
};
